//! What the commands need beside cargo: named in one clear line, or installed.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::project::{self, WASM_TARGET};

/// Installs the standard library of the wasm target if the toolchain in use lacks it.
pub fn ensure_wasm_target() -> Result<()> {
    let output = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .current_dir(project::root())
        .args(["--print", "target-libdir", "--target", WASM_TARGET])
        .output()
        .context("rustc did not start")?;
    let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() && std::path::Path::new(&folder).is_dir() {
        return Ok(());
    }
    if project::find_program(&["rustup"]).is_none() {
        bail!("the toolchain lacks the target {WASM_TARGET} and there is no rustup to install it with");
    }
    eprintln!("installing the target {WASM_TARGET} …");
    let mut command = Command::new("rustup");
    // Without a toolchain's name rustup takes the one of rust-toolchain.toml, which is the one that builds.
    command.current_dir(project::root()).args(["target", "add", WASM_TARGET]);
    project::run(&mut command)
}
