//! Builds page, figure and workers: cargo, wasm-bindgen as a library, then short names, and an order of the functions
//! that compresses.

mod names;
mod order;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use clap::Args;
use sha2::{Digest, Sha256};
use wasm_bindgen_cli_support::Bindgen;

use crate::project::{self, WASM_TARGET};
use crate::toolchain;

/// The engine on the CPU: package, module, and its cargo profile, for speed.
const ENGINE: Module =
    Module { package: "moe-worker", file: "moe_worker", name: "moe_worker", profile: "cpu", features: NO_DEFAULT };

/// The same with WebGPU. Cargo gives both one name, so it is compiled in a folder of its own.
const GPU_ENGINE: Module =
    Module { package: "moe-worker", file: "moe_worker", name: "moe_worker_gpu", profile: "wasm", features: None };

/// The training lab, on the CPU: what engine and lab need alike is compiled once for both.
const LAB: Module = Module {
    package: "moe-lab-worker",
    file: "moe_lab_worker",
    name: "moe_lab_worker",
    profile: "cpu",
    features: None,
};

/// The whole page: of it the fewest bytes count.
const PAGE: Module = Module { package: "web", file: "web", name: "web", profile: "page", features: None };

/// The same library as far as figures in other pages need it.
const FIGURE: Module = Module { package: "web", file: "web", name: "figure", profile: "figure", features: NO_DEFAULT };

const NO_DEFAULT: Option<&str> = Some("--no-default-features");

/// Those that hold a tensor library, what is needed first before the others. A call of cargo's for each, since it would
/// give each the features of all that it compiles in one: the engine would learn, and the lab have a GPU.
const WORKERS: [&Module; 3] = [&ENGINE, &LAB, &GPU_ENGINE];

/// What a browser downloads.
struct Module {
    package: &'static str,
    /// What cargo writes, without `.wasm`.
    file: &'static str,
    /// What browsers load, without `.js`.
    name: &'static str,
    profile: &'static str,
    features: Option<&'static str>,
}

impl Module {
    /// `cargo <subcommand>` for it.
    fn cargo(&self, subcommand: &str) -> Command {
        let mut command = project::cargo(subcommand);
        command.args(["--profile", self.profile, "--target", WASM_TARGET, "-p", self.package]).args(self.features);
        command
    }
}

#[derive(Args)]
pub struct Options {
    /// Leave engines and training lab as they were built last
    #[arg(long)]
    no_engine: bool,
}

pub fn command(options: &Options) -> Result<()> {
    if options.no_engine { build_views() } else { build() }
}

/// Builds the modules into the folder of the generated `.js` and `_bg.wasm` files.
pub fn build() -> Result<()> {
    let start = Instant::now();
    eprintln!("building page, figure and workers (the first time takes many minutes) …");
    build_views()?;
    for worker in WORKERS {
        build_module(worker, &mut worker.cargo("build"))?;
    }
    eprintln!("built all modules in {:.1} s", start.elapsed().as_secs_f32());
    Ok(())
}

fn build_views() -> Result<()> {
    toolchain::ensure_wasm_target()?;
    let [mut page, mut figure] = views("rustc");
    build_module(&PAGE, &mut page)?;
    build_module(&FIGURE, &mut figure)
}

fn build_module(module: &Module, command: &mut Command) -> Result<()> {
    project::run(command)?;
    bind_module(module)
}

fn bind_module(module: &Module) -> Result<()> {
    let file = format!("{}.wasm", module.file);
    let input = project::target_dir()?.join(WASM_TARGET).join(module.profile).join(file);
    bind(module, &input, &generated_dir()?)
        .with_context(|| format!("could not generate the JavaScript of {}", module.name))
}

/// `cargo <subcommand>` for both engines and the lab.
pub fn workers(subcommand: &str) -> [Command; 3] {
    WORKERS.map(|worker| worker.cargo(subcommand))
}

/// `cargo test` for the packages that have tests in a browser, each with its name. Those of the engine are about both of
/// its rungs.
pub fn worker_tests() -> [(&'static str, Command); 2] {
    [&GPU_ENGINE, &LAB].map(|worker| (worker.package, worker.cargo("test")))
}

/// `cargo <subcommand>`, which is `rustc` or `clippy`, for the page and for the figure.
pub fn views(subcommand: &str) -> [Command; 2] {
    [&PAGE, &FIGURE].map(|module| {
        let mut command = module.cargo(subcommand);
        command.arg("--lib");
        if subcommand == "rustc" {
            // The crate is a library of Rust as well, for its tests; asked for both, the compiler would leave out
            // link-time optimisation without a word.
            command.args(["--crate-type", "cdylib"]);
        }
        command
    })
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
    let script_file = out.join(format!("{name}.js"));
    let (mut bytes, script) = names::short(&fs::read(&bound)?, &fs::read_to_string(&script_file)?)?;
    if module.package == PAGE.package {
        bytes = order::alike(&bytes)?;
    }
    // None of its texts goes over several lines.
    let mut script: String = script.lines().map(|line| format!("{}\n", line.trim_start())).collect();
    // A host that compresses the module does not tell how large it will be.
    writeln!(script, "export const MODULE_BYTES = {};", bytes.len())?;
    fs::write(&bound, &bytes)?;
    fs::write(script_file, script)?;
    fs::write(stamp, hash)?;
    eprintln!("  bound {name} in {:.1} s", start.elapsed().as_secs_f32());
    Ok(())
}
