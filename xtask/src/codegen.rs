//! `cargo xtask codegen`: files that are generated from Rust and committed, for those who have no Rust.

use std::fs;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::args::Args;
use crate::project;

/// The TypeScript mirror of the types of moe-trace.
const TYPES: &str = "www/packages/moe-playground/types.d.ts";

pub fn command(args: Args) -> Result<()> {
    args.finish()?;
    let example = ["--quiet", "-p", "moe-trace", "--features", "typescript", "--example", "typescript"];
    let output =
        project::cargo("run").args(example).stderr(Stdio::inherit()).output().context("cargo did not start")?;
    if !output.status.success() {
        bail!("the example `typescript` of moe-trace failed");
    }
    fs::write(project::root().join(TYPES), &output.stdout).with_context(|| format!("could not write {TYPES}"))?;
    println!("wrote {TYPES}");
    Ok(())
}
