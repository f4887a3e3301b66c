//! `cargo xtask snapshot`: what to paste between the tags of a figure, so that it is there without scripts too.

use anyhow::Result;
use clap::Args;

use crate::browser_tests;
use crate::site::Site;
use crate::{project, wasm};

#[derive(Args)]
pub struct Options {
    /// Draw with what was built last
    #[arg(long)]
    no_build: bool,
    /// The tag's attributes as NAME=VALUE, after options of the script (--width, --theme); see the top of
    /// www/e2e/snapshot.mjs
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ATTRIBUTES")]
    pub rest: Vec<String>,
}

pub fn command(options: &Options) -> Result<()> {
    if !options.no_build {
        wasm::build()?;
    }
    let url = browser_tests::serve(Site::of_working_tree()?)?;
    project::run(browser_tests::node("snapshot.mjs", &url)?.args(&options.rest))
}
