//! Where things lie in the repository, and how commands are run in it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::linting;

/// The target that page and worker are compiled for.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// All packages that compile natively; the worker's is for the browser only.
pub const NATIVE_PACKAGES: [&str; 7] =
    ["--workspace", "--exclude", "moe-worker", "--exclude", "moe-lab-worker", "--exclude", "moe-mailbox"];

/// The repository's root folder: of the checkout that cargo runs this for. Where two checkouts share a target folder,
/// that need not be the one it was compiled for.
pub fn root() -> &'static Path {
    static PACKAGE: OnceLock<PathBuf> = OnceLock::new();
    let package = PACKAGE
        .get_or_init(|| std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or(env!("CARGO_MANIFEST_DIR").into()).into());
    package.parent().unwrap_or(Path::new("."))
}

/// Cargo's target folder, wherever the environment or a configuration file put it.
pub fn target_dir() -> Result<PathBuf> {
    static TARGET_DIR: OnceLock<PathBuf> = OnceLock::new();
    if let Some(known) = TARGET_DIR.get() {
        return Ok(known.clone());
    }
    let metadata = metadata(&["--no-deps"])?;
    let folder = metadata["target_directory"].as_str().context("cargo metadata names no target directory")?;
    Ok(TARGET_DIR.get_or_init(|| PathBuf::from(folder)).clone())
}

/// What cargo knows about the workspace, as JSON.
pub fn metadata(options: &[&str]) -> Result<Value> {
    let output = cargo("metadata")
        .args(["--format-version", "1"])
        .args(options)
        .stderr(Stdio::inherit())
        .output()
        .context("cargo metadata did not start")?;
    if !output.status.success() {
        bail!("cargo metadata failed");
    }
    serde_json::from_slice(&output.stdout).context("cargo metadata printed something that is not JSON")
}

/// `cargo <subcommand>` in the repository's root, by the cargo that runs us. What compiles for use is linted meanwhile;
/// always, since cargo keeps what was compiled in another way apart.
pub fn cargo(subcommand: &str) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root()).arg(subcommand);
    if ["build", "rustc", "test", "run", "bench"].contains(&subcommand) {
        linting::install(&mut command);
    }
    command
}

/// Builds a program of ours for this machine, by `kind` a `--bin` or an `--example`, and returns where it is.
pub fn native_program(kind: &str, name: &str) -> Result<PathBuf> {
    let mut build = cargo("build");
    build.args(["--profile", "test"]).args(NATIVE_PACKAGES).args([kind, name]);
    // Only with an example are the features those of the tests, and all that the tests share is compiled once.
    run(build.args(["--example", "rules"]))?;
    let folder = if kind == "--example" { "debug/examples" } else { "debug" };
    Ok(target_dir()?.join(folder).join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}

/// Shows a command, runs it with our terminal, and fails if it fails.
pub fn run(command: &mut Command) -> Result<()> {
    let line = display(command);
    eprintln!("$ {line}");
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("could not start: {line}"))?;
    if !status.success() {
        bail!("failed ({status}): {line}");
    }
    Ok(())
}

/// A command as one would type it, with paths inside the repository shortened.
pub fn display(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let shorten = |word: &OsStr| Path::new(word).strip_prefix(root()).unwrap_or(Path::new(word)).display().to_string();
    let mut line: Vec<String> = words.map(shorten).collect();
    if let Some(name) = Path::new(&line[0]).file_name() {
        line[0] = name.to_string_lossy().into_owned();
    }
    line.join(" ")
}
