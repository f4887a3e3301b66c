//! Builds page and worker: one cargo invocation, then wasm-bindgen as a library.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use sha2::{Digest, Sha256};
use wasm_bindgen_cli_support::Bindgen;

use crate::project::{self, WASM_TARGET};
use crate::toolchain;

/// The cargo profile of everything a browser downloads.
const PROFILE: &str = "wasm";

/// Package, and the name of its module without `.js`.
const MODULES: [(&str, &str); 2] = [("moe-worker", "moe_worker"), ("web", "web")];

/// Builds both modules; returns the folder with the generated `.js` and `_bg.wasm` files.
pub fn build() -> Result<PathBuf> {
    toolchain::ensure_wasm_target()?;
    let start = Instant::now();
    eprintln!("building page and worker (the first time takes many minutes) …");
    let mut command = cargo("build");
    project::run(&mut command)?;
    let out = generated_dir()?;
    for (_, module) in MODULES {
        let input = project::target_dir()?.join(WASM_TARGET).join(PROFILE).join(format!("{module}.wasm"));
        bind(module, &input, &out).with_context(|| format!("could not generate the JavaScript of {module}"))?;
    }
    eprintln!("built page and worker in {:.1} s", start.elapsed().as_secs_f32());
    Ok(out)
}

/// `cargo <subcommand>` over both packages at once, so that every crate they share is compiled with one set of features.
pub fn cargo(subcommand: &str) -> Command {
    let mut command = project::cargo(subcommand);
    command.args(["--profile", PROFILE, "--target", WASM_TARGET]);
    for (package, _) in MODULES {
        command.args(["-p", package]);
    }
    command
}

/// Where the generated files lie, whether or not they have been built.
pub fn generated_dir() -> Result<PathBuf> {
    Ok(project::target_dir()?.join("site-assets"))
}

/// Runs wasm-bindgen over a module unless its output is from this very input.
fn bind(module: &str, input: &Path, out: &Path) -> Result<()> {
    let bytes = fs::read(input).with_context(|| format!("cargo did not write {}", input.display()))?;
    let hash = format!("{:x}", Sha256::digest(&bytes));
    let stamp = out.join(format!("{module}.input-sha256"));
    if fs::read_to_string(&stamp).is_ok_and(|known| known == hash) && out.join(format!("{module}_bg.wasm")).exists() {
        return Ok(());
    }
    let start = Instant::now();
    Bindgen::new()
        .input_bytes(module, bytes)
        .web(true)
        .map_err(|error| anyhow!(error))?
        // The element and the worker's bootstrap pass the module's address, so that it need not be guessed.
        .omit_default_module_path(false)
        .typescript(false)
        // Function names are a quarter of the page's module and help nobody who reads it compressed.
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(out)
        .map_err(|error| anyhow!(error))?;
    fs::write(stamp, hash)?;
    eprintln!("  bound {module} in {:.1} s", start.elapsed().as_secs_f32());
    Ok(())
}
