//! What the commands need beside cargo: installed where that is safe, or named in one clear line.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::programs;
use crate::project::{self, WASM_TARGET};

/// Names under which Chromium goes; the tests are made for its open-source build, Chrome will do.
const CHROMIUM: [&str; 5] = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"];

/// The oldest Node.js that the tools in JavaScript run on.
const MIN_NODE_MAJOR: u32 = 20;

/// Installs the standard library of the wasm target if the toolchain in use lacks it.
pub fn ensure_wasm_target() -> Result<()> {
    let output = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .current_dir(project::root())
        .args(["--print", "target-libdir", "--target", WASM_TARGET])
        .output()
        .context("rustc did not start")?;
    let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() && Path::new(&folder).is_dir() {
        return Ok(());
    }
    if programs::find(&["rustup"]).is_none() {
        bail!("the toolchain lacks the target {WASM_TARGET} and there is no rustup to install it with");
    }
    eprintln!("installing the target {WASM_TARGET} …");
    // Without a toolchain's name rustup takes the one of rust-toolchain.toml, which is the one that builds.
    project::run(Command::new("rustup").current_dir(project::root()).args(["target", "add", WASM_TARGET]))
}

/// An error where the toolchain has no clippy, which what lints while it compiles would silently do without.
pub fn ensure_clippy() -> Result<()> {
    let output = project::cargo("clippy").arg("--version").output().context("cargo did not start")?;
    ensure!(output.status.success(), "the toolchain lacks clippy: `rustup component add clippy`");
    Ok(())
}

/// The installed Chromium, or the one that CHROMIUM names.
pub fn ensure_chromium() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return Ok(named.into());
    }
    ensure_program(&CHROMIUM, &["chromium", "chromium-driver"], "or name one in CHROMIUM")
}

/// Chromium's driver, of Chromium's version.
pub fn ensure_chromedriver() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMEDRIVER") {
        return Ok(named.into());
    }
    ensure_program(&["chromedriver"], &["chromium-driver"], "or name one in CHROMEDRIVER")
}

/// Node.js, and the packages of a folder exactly as its lock file has them.
pub fn ensure_npm_packages(folder: &Path) -> Result<()> {
    let node = ensure_program(&["node"], &["nodejs", "npm"], "from the system's packages")?;
    let output = Command::new(node).arg("--version").output().context("node did not start")?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < MIN_NODE_MAJOR) {
        bail!("the tools of {} need Node.js {MIN_NODE_MAJOR} or newer; this is {version}", folder.display());
    }
    let modified = |path: &str| folder.join(path).metadata().and_then(|metadata| metadata.modified()).ok();
    // npm writes the hidden lock file last, so it is there and newer only after a complete installation.
    let installed = modified("node_modules/.package-lock.json");
    if installed.is_some() && installed >= modified("package-lock.json") {
        return Ok(());
    }
    ensure_program(&["npm"], &["npm"], "from the system's packages")?;
    eprintln!("installing the packages of {} …", folder.display());
    project::run(Command::new("npm").current_dir(folder).args(["ci", "--no-audit", "--no-fund"]))
}

/// The first of these programs, installed from Debian's packages where we may.
fn ensure_program(names: &[&str], packages: &[&str], otherwise: &str) -> Result<PathBuf> {
    if let Some(found) = programs::find(names) {
        return Ok(found);
    }
    if programs::find(&["apt-get"]).is_some() && is_root() {
        eprintln!("installing {} …", packages.join(" "));
        project::run(Command::new("apt-get").args(["update", "--quiet=2"]))?;
        let mut install = Command::new("apt-get");
        install.env("DEBIAN_FRONTEND", "noninteractive").args([
            "install",
            "--yes",
            "--quiet=2",
            "--no-install-recommends",
        ]);
        project::run(install.args(packages))?;
    }
    programs::find(names)
        .with_context(|| format!("{} is missing: install {} {otherwise}", names[0], packages.join(" and ")))
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
