//! A warning of clippy's is told while a crate is compiled for use, and told again as long as it is not compiled anew.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Compiles the crate in this folder as `cargo xtask` does; the codes of all that compiler and clippy say.
fn build(folder: &Path) -> Vec<String> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--message-format=json"])
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .env("RUSTC_WORKSPACE_WRAPPER", env!("CARGO_BIN_EXE_xtask"))
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let messages = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    let mut codes: Vec<String> =
        messages.filter_map(|message| message["message"]["code"]["code"].as_str().map(str::to_owned)).collect();
    codes.sort();
    codes
}

#[test]
fn clippy_looks_on_while_rustc_compiles() {
    let folder = std::env::temp_dir().join(format!("moe-playground-linting-{}", std::process::id()));
    fs::create_dir_all(folder.join("src")).expect("a folder");
    fs::write(folder.join("Cargo.toml"), "[package]\nname = \"linted\"\nedition = \"2024\"\n[workspace]\n")
        .expect("a file");
    let source = folder.join("src/lib.rs");
    fs::write(&source, "pub fn f(list: &[u8]) -> bool {\n    fn unused() {}\n    list.len() == 0\n}\n")
        .expect("a file");
    let both = ["clippy::len_zero", "dead_code"];
    assert_eq!(build(&folder), both, "each once: clippy's own, and rustc's");
    assert_eq!(build(&folder), both, "nothing is compiled, and it is told again");
    fs::write(&source, "pub fn f(list: &[u8]) -> bool {\n    list.is_empty()\n}\n// mended, and later\n")
        .expect("a file");
    assert_eq!(build(&folder), Vec::<String>::new());
    fs::remove_dir_all(&folder).expect("it was there");
}
