//! Clippy's lints while a crate is compiled: cargo runs this program in the place of rustc for the packages of ours.
//!
//! `cargo clippy` would have every dependency checked once more, the tensor library among them, before it could look at
//! our crates; and clippy's own driver compiles without some optimisations. So rustc compiles as ever, and clippy's
//! driver looks at the same source beside it, against the libraries that are there already. What clippy says goes to
//! cargo as a warning of this crate, and cargo repeats it as long as the crate is not compiled anew.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, exit};
use std::sync::OnceLock;
use std::thread;
use std::{env, fs};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::programs;

/// Cargo names the real compiler first.
pub fn is_compiler(arguments: &[OsString]) -> bool {
    arguments.first().is_some_and(|first| Path::new(first).file_stem() == Some(OsStr::new("rustc")))
}

/// Has cargo call us in the place of rustc, wherever that compiles.
pub fn install(cargo: &mut Command) {
    // Asked once: as soon as cargo has built this program anew, the system calls the running one "deleted".
    static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
    if let Some(program) = PROGRAM.get_or_init(|| env::current_exe().ok()) {
        cargo.env("RUSTC_WORKSPACE_WRAPPER", program);
    }
}

/// The option with which cargo hands on what compiler and clippy say, for `counting::compilation`.
pub const MESSAGES: &str = "--message-format=json";

/// Compiles, and lints meanwhile; ends as rustc ends. Where the toolchain has no clippy, it compiles only.
pub fn compile(arguments: &[OsString]) -> Result<()> {
    let (rustc, options) = arguments.split_first().context("cargo names no compiler")?;
    let scratch = env::temp_dir().join(format!("moe-playground-lint-{}", std::process::id()));
    let linter = lint_options(options, &scratch).zip(driver(Path::new(rustc)));
    let linting = linter.map(|(options, driver)| {
        let mut command = Command::new(driver);
        command.arg(rustc).args(options);
        thread::spawn(move || command.output())
    });
    let status = Command::new(rustc).args(options).status().context("rustc did not start")?;
    let output = linting.and_then(|linting| linting.join().ok());
    // Nobody reads what clippy wrote there.
    fs::remove_dir_all(&scratch).ok();
    // Where rustc fails, it has said all there is to say.
    if status.success()
        && let Some(output) = output
    {
        report(&output.context("clippy's driver did not start")?);
    }
    exit(status.code().unwrap_or(1));
}

/// The options with which clippy sees what rustc compiles, and leaves nothing behind. `None`: nothing is compiled.
fn lint_options(options: &[OsString], scratch: &Path) -> Option<Vec<OsString>> {
    let text: Vec<String> = options.iter().map(|option| option.to_string_lossy().into_owned()).collect();
    if !text.iter().any(|option| option.starts_with("--emit")) {
        return None;
    }
    let mut kept = Vec::new();
    let mut at = 0;
    while at < options.len() {
        match text[at].as_str() {
            "--out-dir" => {
                kept.extend(["--out-dir".into(), scratch.into()]);
                at += 1;
            }
            "-C" if text.get(at + 1).is_some_and(|next| next.starts_with("incremental=")) => at += 1,
            option if option.starts_with("--emit") => kept.push("--emit=metadata".into()),
            _ => kept.push(options[at].clone()),
        }
        at += 1;
    }
    Some(kept)
}

/// Clippy's driver, beside the compiler.
fn driver(rustc: &Path) -> Option<PathBuf> {
    let name = format!("clippy-driver{}", env::consts::EXE_SUFFIX);
    let beside = rustc.with_file_name(&name);
    if beside.is_file() { Some(beside) } else { programs::find(&[&name]) }
}

/// Passes on what only clippy found: rustc's own warnings are there already. A driver that failed without a finding is
/// an error in its own words.
fn report(output: &Output) {
    let text = String::from_utf8_lossy(&output.stderr);
    let findings: Vec<&str> = text.lines().filter(|line| is_finding(line)).collect();
    for finding in &findings {
        eprintln!("{finding}");
    }
    if !output.status.success() && findings.is_empty() {
        eprintln!("clippy failed:\n{text}");
        exit(1);
    }
}

/// Is this line of the compiler's JSON a diagnostic of one of clippy's lints?
fn is_finding(line: &str) -> bool {
    let Ok(message) = serde_json::from_str::<Value>(line) else { return false };
    message["code"]["code"].as_str().is_some_and(|code| code.starts_with("clippy::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clippy_writes_nothing_where_rustc_writes() {
        let options = [
            "--crate-name",
            "a",
            "--emit=dep-info,link",
            "-C",
            "incremental=/x",
            "--out-dir",
            "/y",
            "-C",
            "opt-level=3",
        ];
        let options: Vec<OsString> = options.into_iter().map(OsString::from).collect();
        let linting = lint_options(&options, Path::new("/scratch")).expect("something is compiled");
        let text: Vec<_> = linting.iter().map(|option| option.to_string_lossy()).collect();
        assert_eq!(text, ["--crate-name", "a", "--emit=metadata", "--out-dir", "/scratch", "-C", "opt-level=3"]);
        assert_eq!(lint_options(&["-vV".into()], Path::new("/scratch")), None);
    }

    #[test]
    fn only_clippys_own_findings_are_passed_on() {
        assert!(is_finding(r#"{"$message_type":"diagnostic","code":{"code":"clippy::len_zero"}}"#));
        assert!(!is_finding(r#"{"$message_type":"diagnostic","code":{"code":"dead_code"}}"#));
        assert!(!is_finding(r#"{"$message_type":"artifact","artifact":"a.rmeta"}"#));
        assert!(!is_finding("no JSON"));
    }

    #[test]
    fn cargo_calls_the_compiler_by_its_path() {
        assert!(is_compiler(&["/toolchain/bin/rustc".into(), "-vV".into()]));
        assert!(!is_compiler(&["test".into(), "lint".into()]));
    }
}
