//! `cargo xtask lesson check`: every mistake of a lesson, with its line and column, by the reader that the page has.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};

use crate::project;

#[derive(Args)]
pub struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Tell every mistake of these files
    Check {
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

pub fn command(options: &Options) -> Result<()> {
    let What::Check { files } = &options.what;
    let here = std::env::current_dir().context("there is no working directory")?;
    let mut check = project::cargo("run");
    // Only the page's own library is compiled, and not the engine's.
    check.args(["--quiet", "--profile", "test", "-p", "web", "--example", "lesson", "--", "check"]);
    project::run(check.args(files.iter().map(|file| here.join(file))))
}
