//! `cargo xtask codegen`: files that are generated from Rust and committed, for those who have no Rust.

use std::fs;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::project;
use crate::tidy::document;

/// What is generated: a file, and the example that prints it.
const FILES: [(&str, &[&str]); 3] = [
    (
        "www/packages/moe-playground/types.d.ts",
        &["-p", "moe-trace", "--features", "typescript", "--example", "typescript"],
    ),
    ("docs/ROUTING_RULES.md", &["-p", "moe-router", "--example", "rules"]),
    ("www/first-paint.html", &["-p", "web", "--example", "first_paint"]),
];

pub fn command() -> Result<()> {
    document::write(project::root())?;
    println!("wrote the tables of {}", document::FILE);
    for (file, example) in FILES {
        let mut command = project::cargo("run");
        let output = command.arg("--quiet").args(example).stderr(Stdio::inherit()).output();
        let output = output.context("cargo did not start")?;
        if !output.status.success() {
            bail!("the example that prints {file} failed: cargo run {}", example.join(" "));
        }
        fs::write(project::root().join(file), &output.stdout).with_context(|| format!("could not write {file}"))?;
        println!("wrote {file}");
    }
    Ok(())
}
