//! Builds page and worker: cargo, wasm-bindgen as a library, and an order of the functions that compresses.

mod order;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use sha2::{Digest, Sha256};
use wasm_bindgen_cli_support::Bindgen;

use crate::project::{self, WASM_TARGET};
use crate::toolchain;

/// The engine: package, module, and its cargo profile, for speed.
const ENGINE: Module = Module { package: "moe-worker", name: "moe_worker", profile: "wasm" };

/// The training lab, of the same crates, so that they are compiled once for both.
const LAB: Module = Module { package: "moe-lab-worker", name: "moe_lab_worker", profile: "wasm" };

/// The page: of it the fewest bytes count.
const PAGE: Module = Module { package: "web", name: "web", profile: "page" };

/// What a browser downloads.
struct Module {
    package: &'static str,
    /// Without `.js`.
    name: &'static str,
    profile: &'static str,
}

/// Builds all modules; returns the folder with the generated `.js` and `_bg.wasm` files.
pub fn build() -> Result<PathBuf> {
    toolchain::ensure_wasm_target()?;
    let start = Instant::now();
    eprintln!("building page and worker (the first time takes many minutes) …");
    let out = generated_dir()?;
    for mut command in [page(), engine("build")] {
        project::run(&mut command)?;
    }
    for module in [PAGE, ENGINE, LAB] {
        let file = format!("{}.wasm", module.name);
        let input = project::target_dir()?.join(WASM_TARGET).join(module.profile).join(file);
        bind(&module, &input, &out).with_context(|| format!("could not generate the JavaScript of {}", module.name))?;
    }
    eprintln!("built page and worker in {:.1} s", start.elapsed().as_secs_f32());
    Ok(out)
}

/// `cargo <subcommand>` for engine and lab.
pub fn engine(subcommand: &str) -> Command {
    let mut command = project::cargo(subcommand);
    command.args(["--profile", ENGINE.profile, "--target", WASM_TARGET, "-p", ENGINE.package, "-p", LAB.package]);
    command
}

/// `cargo clippy` for the page's library.
pub fn clippy_of_the_page() -> Command {
    let mut command = project::cargo("clippy");
    command.args(["--profile", PAGE.profile, "--target", WASM_TARGET, "-p", PAGE.package, "--lib"]);
    command
}

/// Compiles the page. Its crate is a library of Rust as well, for its tests; asked for both, the compiler would leave
/// out link-time optimisation without a word.
pub fn page() -> Command {
    let mut command = project::cargo("rustc");
    command.args(["--profile", PAGE.profile, "--target", WASM_TARGET, "-p", PAGE.package]);
    command.args(["--lib", "--crate-type", "cdylib"]);
    command
}

/// Where the generated files lie, whether or not they have been built.
pub fn generated_dir() -> Result<PathBuf> {
    Ok(project::target_dir()?.join("site-assets"))
}

/// Runs wasm-bindgen over a module unless its output is from this very input.
fn bind(module: &Module, input: &Path, out: &Path) -> Result<()> {
    let name = module.name;
    let bytes = fs::read(input).with_context(|| format!("cargo did not write {}", input.display()))?;
    let hash = format!("{:x}", Sha256::digest(&bytes));
    let (stamp, bound) = (out.join(format!("{name}.input-sha256")), out.join(format!("{name}_bg.wasm")));
    if fs::read_to_string(&stamp).is_ok_and(|known| known == hash) && bound.exists() {
        return Ok(());
    }
    let start = Instant::now();
    Bindgen::new()
        .input_bytes(name, bytes)
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
    if module.profile == PAGE.profile {
        fs::write(&bound, order::alike(&fs::read(&bound)?)?)?;
    }
    // A host that compresses the module does not tell how large it will be.
    let bytes = fs::metadata(&bound)?.len();
    let mut script = fs::OpenOptions::new().append(true).open(out.join(format!("{name}.js")))?;
    writeln!(script, "export const MODULE_BYTES = {bytes};")?;
    fs::write(stamp, hash)?;
    eprintln!("  bound {name} in {:.1} s", start.elapsed().as_secs_f32());
    Ok(())
}
