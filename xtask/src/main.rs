//! One command for everything one does with this repository: `cargo xtask help`.

mod args;
mod bench;
mod browser_tests;
mod codegen;
mod counting;
mod dist;
mod hashed_names;
mod http;
mod project;
mod serve;
mod shots;
mod site;
mod sizes;
mod test;
mod tidy;
mod toolchain;
mod wasm;

use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::args::Args;

const HELP: &str = "\
cargo xtask <command>

  serve    build page and worker and serve them        [--port 8080] [--host 127.0.0.1] [--open] [--no-build]
  build    build page and worker only
  dist     the static site, for any static host        [--out dist] [--no-build]
  test     all tests, or some: lint unit wasm e2e      [--filter TEXT] [--rung webgpu|cpu] [--no-build]
  tidy     the rules of the layout that no compiler checks
  codegen  the TypeScript mirror of the wire types
  shots    pictures of the page at every width         [--no-build] [--out DIR] …, see www/e2e/shots.mjs
  bench    native, browser or sizes; all without a word
  train    moe-train, with all that follows
  measure  what the shipped models do on held-out text, into docs/
  help     this text

The first build compiles the tensor library and takes many minutes; later ones take seconds.";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let mut args = Args::from_env();
    let command = args.word().unwrap_or_else(|| "help".to_owned());
    match command.as_str() {
        "serve" => serve::command(args),
        "build" => {
            args.finish()?;
            wasm::build().map(drop)
        }
        "dist" => dist::command(args),
        "test" => test::command(args),
        "tidy" => tidy::command(args),
        "codegen" => codegen::command(args),
        "shots" => shots::command(args),
        "bench" => bench::command(args),
        "train" => train(&args.rest()),
        "measure" => train(&[vec!["measure".to_owned()], args.rest()].concat()),
        "help" | "--help" | "-h" => {
            println!("{HELP}");
            Ok(())
        }
        other => bail!("there is no command '{other}'\n\n{HELP}"),
    }
}

/// Builds the trainer as the tests do, so that nothing is compiled twice, and runs it.
fn train(args: &[String]) -> Result<()> {
    let mut build = project::cargo("build");
    project::run(build.args(["--profile", "test"]).args(project::NATIVE_PACKAGES).args(["--bin", "moe-train"]))?;
    let mut command = Command::new(project::target_dir()?.join("debug").join("moe-train"));
    project::run(command.current_dir(project::root()).args(args))
}
