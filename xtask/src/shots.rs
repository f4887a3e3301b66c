//! `cargo xtask shots`: pictures of the page, to look at while working on it.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::browser_tests;
use crate::site::Site;
use crate::{project, wasm};

#[derive(Args)]
pub struct Options {
    /// Show what was built last
    #[arg(long)]
    no_build: bool,
    /// Where to [default: www/e2e/shots]
    #[arg(long)]
    out: Option<PathBuf>,
    /// Options of the script, after those above: --path, --widths, --themes, --rung, --wait, --press, --full. See the
    /// top of www/e2e/shots.mjs
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTIONS")]
    pub rest: Vec<String>,
}

pub fn command(options: &Options) -> Result<()> {
    if !options.no_build {
        wasm::build()?;
    }
    let out = options.out.clone().unwrap_or_else(|| project::root().join("www/e2e/shots"));
    let url = browser_tests::serve(Site::of_working_tree()?)?;
    // The script runs in its own folder; a relative path is meant from where the user is.
    let out = std::path::absolute(out)?;
    project::run(browser_tests::node("shots.mjs", &url)?.arg("--out").arg(out).args(&options.rest))
}
