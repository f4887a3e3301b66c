//! `cargo xtask test`: everything that must hold, in steps that can be chosen, with a summary of their durations.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::args::Args;
use crate::browser_tests::{self, E2eOptions};
use crate::counting::{self, Tally};
use crate::{project, tidy, toolchain, wasm};

/// In the order they run: what fails soonest comes first.
const STEPS: [&str; 4] = ["lint", "unit", "wasm", "e2e"];

pub fn command(mut args: Args) -> Result<()> {
    let filter: Option<String> = args.option("--filter")?;
    let rung: Option<String> = args.option("--rung")?;
    let no_build = args.flag("--no-build");
    let mut chosen = Vec::new();
    while let Some(step) = args.word() {
        if !STEPS.contains(&step.as_str()) {
            bail!("there is no step '{step}'; the steps are {}", STEPS.join(", "));
        }
        chosen.push(step);
    }
    args.finish()?;

    let mut done = Vec::new();
    for step in STEPS.into_iter().filter(|step| chosen.is_empty() || chosen.iter().any(|name| name == step)) {
        eprintln!("\n== {step} ==");
        let start = Instant::now();
        let tally = match step {
            "lint" => lint(),
            "unit" => unit(filter.as_deref()),
            "wasm" => browser_tests::wasm(filter.as_deref()),
            _ => browser_tests::e2e(&E2eOptions { filter: filter.clone(), rung: rung.clone(), no_build }),
        };
        let tally = tally.unwrap_or_else(|error| counting::failure(&error));
        done.push((step, start.elapsed(), tally));
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
    let mut native = project::cargo("clippy");
    tally += counting::check(native.args(project::NATIVE_PACKAGES).args(["--all-targets", "--", "-D", "warnings"]));
    toolchain::ensure_wasm_target()?;
    tally += counting::check(wasm::cargo("clippy").args(["--lib", "--tests", "--", "-D", "warnings"]));
    let mut docs = project::cargo("doc");
    docs.args(["--no-deps", "-p", "moe-router", "-p", "moe-trace"]).env("RUSTDOCFLAGS", "-D warnings");
    tally += counting::check(&mut docs);
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

fn summarise(done: &[(&str, Duration, Tally)]) -> Result<()> {
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
