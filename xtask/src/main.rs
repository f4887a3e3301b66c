//! One command for everything one does with this repository: `cargo xtask help`.

mod args;
mod dist;
mod hashed_names;
mod http;
mod project;
mod serve;
mod site;
mod sizes;
mod toolchain;
mod wasm;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::args::Args;

const HELP: &str = "\
cargo xtask <command>

  serve    build page and worker and serve them        [--port 8080] [--host 127.0.0.1] [--open] [--no-build]
  build    build page and worker only
  dist     the static site, for any static host        [--out dist] [--no-build]
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
        "help" | "--help" | "-h" => {
            println!("{HELP}");
            Ok(())
        }
        other => bail!("there is no command '{other}'\n\n{HELP}"),
    }
}
