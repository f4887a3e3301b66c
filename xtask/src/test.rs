//! `cargo xtask test`: everything that must hold, in steps that can be chosen, with a summary of their durations.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::browser_tests;
use crate::counting::{self, Tally};
use crate::{project, tidy, toolchain, wasm};

#[derive(Args)]
pub struct Options {
    /// Only these [default: all, in this order]
    steps: Vec<Step>,
    /// Only tests whose names contain this
    #[arg(long)]
    filter: Option<String>,
    /// Of the end-to-end tests, only this rung
    #[arg(long)]
    rung: Option<Rung>,
    /// Let the end-to-end tests run on what was built last
    #[arg(long)]
    no_build: bool,
}

/// In the order they run: what fails soonest comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Step {
    Lint,
    Unit,
    Wasm,
    E2e,
}

/// What the page's engine runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Rung {
    Webgpu,
    Cpu,
}

pub fn command(options: &Options) -> Result<()> {
    let mut done = Vec::new();
    for step in Step::value_variants().iter().copied() {
        if !options.steps.is_empty() && !options.steps.contains(&step) {
            continue;
        }
        let filter = options.filter.as_deref();
        let name = format!("{step:?}").to_lowercase();
        eprintln!("\n== {name} ==");
        let start = Instant::now();
        let tally = match step {
            Step::Lint => lint(),
            Step::Unit => unit(filter),
            Step::Wasm => browser_tests::wasm(filter),
            Step::E2e => browser_tests::e2e(filter, options.rung, options.no_build),
        };
        let tally = tally.unwrap_or_else(|error| counting::failure(&error));
        done.push((name, start.elapsed(), tally));
    }
    summarise(&done)
}

/// Formatting, the rules of `tidy`, clippy for both kinds of target, and the documentation that teaches.
fn lint() -> Result<Tally> {
    let mut tally = counting::check(project::cargo("fmt").args(["--all", "--check"]));
    tally += match tidy::check() {
        Ok(()) => Tally { passed: 1, failed: 0 },
        Err(error) => counting::failure(&error),
    };
    tally += scripts_and_styles()?;
    let mut native = project::cargo("clippy");
    tally += counting::check(native.args(project::NATIVE_PACKAGES).args(["--all-targets", "--", "-D", "warnings"]));
    toolchain::ensure_wasm_target()?;
    tally += counting::check(wasm::cargo("clippy").args(["--lib", "--tests", "--", "-D", "warnings"]));
    let mut docs = project::cargo("doc");
    docs.args(["--no-deps", "-p", "moe-router", "-p", "moe-trace"]).env("RUSTDOCFLAGS", "-D warnings");
    tally += counting::check(&mut docs);
    Ok(tally)
}

/// Formatting, lints and types of JavaScript and CSS.
fn scripts_and_styles() -> Result<Tally> {
    let www = project::root().join("www");
    toolchain::ensure_npm_packages(&www)?;
    // Their types.
    toolchain::ensure_npm_packages(&www.join("e2e"))?;
    let tool = |name: &str| {
        let mut command = Command::new(www.join("node_modules/.bin").join(name));
        command.current_dir(project::root());
        command
    };
    let mut tally = counting::check(tool("biome").args(["ci", "--error-on-warnings"]));
    for project in ["www/packages", "www/e2e"] {
        tally += counting::check(tool("tsc").args(["--project", project]));
    }
    Ok(tally)
}

/// Unit, property and oracle tests; and that the generated files are current.
fn unit(filter: Option<&str>) -> Result<Tally> {
    let mut tally = counting::tests(project::cargo("test").args(project::NATIVE_PACKAGES).args(filter));
    if filter.is_none() {
        eprintln!("-- what was compared with the reference numbers --");
        let oracle = ["-p", "moe-router", "--test", "oracle", "--", "--nocapture"];
        tally += counting::tests(project::cargo("test").args(oracle));
        let types = ["-p", "moe-trace", "--features", "typescript", "--example", "typescript"];
        tally += counting::tests(project::cargo("test").args(types));
    }
    Ok(tally)
}

fn summarise(done: &[(String, Duration, Tally)]) -> Result<()> {
    println!("\n{:<8}{:>10}{:>10}{:>10}", "step", "time", "passed", "failed");
    let mut total = Tally::default();
    for (step, time, tally) in done {
        total += *tally;
        println!("{step:<8}{:>8} s{:>10}{:>10}", format!("{:.1}", time.as_secs_f32()), tally.passed, tally.failed);
    }
    println!("\n{} passed, {} failed", total.passed, total.failed);
    if total.failed > 0 {
        std::process::exit(1);
    }
    Ok(())
}
