//! `cargo xtask codegen`: files that are generated from Rust and committed, for those who have no Rust.

use std::fs;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::args::Args;
use crate::project;

/// The TypeScript mirror of the types of moe-trace.
const TYPES: &str = "www/packages/moe-playground/types.d.ts";
/// The table of routing rules of moe-router.
const RULES: &str = "docs/ROUTING_RULES.md";

pub fn command(args: Args) -> Result<()> {
    args.finish()?;
    write(TYPES, &["-p", "moe-trace", "--features", "typescript", "--example", "typescript"])?;
    write(RULES, &["-p", "moe-router", "--example", "rules"])
}

/// Writes what an example prints.
fn write(path: &str, example: &[&str]) -> Result<()> {
    let run = project::cargo("run").arg("--quiet").args(example).stderr(Stdio::inherit()).output();
    let output = run.context("cargo did not start")?;
    if !output.status.success() {
        bail!("`cargo run {}` failed", example.join(" "));
    }
    fs::write(project::root().join(path), &output.stdout).with_context(|| format!("could not write {path}"))?;
    println!("wrote {path}");
    Ok(())
}
