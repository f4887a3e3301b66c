//! One command for everything one does with this repository: `cargo xtask help`.

mod bench;
mod browser_tests;
mod catalogues;
mod codegen;
mod counting;
mod dist;
mod fuzz;
mod hashed_names;
mod http;
mod lesson;
mod linting;
mod native_gpu;
mod notebook;
mod oembed;
mod other_browsers;
mod output;
mod package;
mod programs;
mod project;
mod report;
mod serve;
mod shots;
mod site;
mod sizes;
mod snapshot;
mod stripped;
mod test;
mod tidy;
mod toolchain;
mod wasm;

use std::env;
use std::ffi::OsString;
use std::process::{self, ExitCode};

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

/// One command for everything one does with this repository.
///
/// The first build compiles the tensor library and takes many minutes; later ones take seconds.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build page and worker and serve them
    Serve(serve::Options),
    /// Build page, figure and worker only
    Build(wasm::Options),
    /// Write the static site, for any static host
    Dist(dist::Options),
    /// Write the npm package
    Package(output::Options),
    /// Run all tests, or some
    Test(test::Options),
    /// Give every reader of files a million spoilt ones
    Fuzz(fuzz::Options),
    /// Check the rules of the layout that no compiler checks
    Tidy,
    /// Write the files that are generated from Rust and committed
    Codegen,
    /// Take pictures of the page at every width
    Shots(shots::Options),
    /// Print the picture and the table to paste between the tags of a figure
    Snapshot(snapshot::Options),
    /// Check lessons
    Lesson(lesson::Options),
    /// Measure: native, browser, page, length, mounts, others, peers or sizes; all without a word
    Bench(bench::Options),
    /// moe-train, with all that follows
    #[command(disable_help_flag = true)]
    Train(Rest),
    /// What the shipped models do on held-out text, into docs/
    #[command(disable_help_flag = true)]
    Measure(Rest),
}

/// Passed on as it stands.
#[derive(Args)]
struct Rest {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<String>,
}

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let result =
        if linting::is_compiler(&arguments) { linting::compile(&arguments) } else { run(Cli::parse().command) };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Serve(options) => serve::command(&options),
        Command::Build(options) => wasm::command(&options),
        Command::Dist(options) => dist::command(&options),
        Command::Package(options) => package::command(&options),
        Command::Test(options) => test::command(&options),
        Command::Fuzz(options) => fuzz::command(&options),
        Command::Tidy => tidy::command(),
        Command::Codegen => codegen::command(),
        Command::Shots(options) => shots::command(&options),
        Command::Snapshot(options) => snapshot::command(&options),
        Command::Lesson(options) => lesson::command(&options),
        Command::Bench(options) => bench::command(&options),
        Command::Train(rest) => train(&rest.arguments),
        Command::Measure(rest) => train(&[vec!["measure".to_owned()], rest.arguments].concat()),
    }
}

/// Builds the trainer as the tests do, so that nothing is compiled twice, and runs it.
fn train(args: &[String]) -> Result<()> {
    let trainer = project::native_program("--bin", "moe-train")?;
    project::run(process::Command::new(trainer).current_dir(project::root()).args(args))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_commands_are_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_another_program_reads_is_passed_on() {
        let parse = |line: &str| Cli::try_parse_from(line.split_whitespace()).map(|cli| cli.command);
        let Ok(Command::Train(rest)) = parse("xtask train --help x --y=1") else { panic!("not train") };
        assert_eq!(rest.arguments, ["--help", "x", "--y=1"]);
        let Ok(Command::Shots(options)) = parse("xtask shots --no-build --out a --widths 390") else {
            panic!("no shots")
        };
        assert_eq!(options.rest, ["--widths", "390"]);
        let Ok(Command::Bench(options)) = parse("xtask bench native --warm-up-time 0.5") else { panic!("not bench") };
        assert_eq!(options.rest, ["--warm-up-time", "0.5"]);
        assert!(parse("xtask serve --prot 1").is_err() && parse("xtask test lnt").is_err());
    }
}
