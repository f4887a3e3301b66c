//! `cargo xtask shots`: pictures of the page, to look at while working on it.

use anyhow::Result;

use crate::args::Args;
use crate::browser_tests;
use crate::site::Site;
use crate::{project, wasm};

/// Options other than `--no-build` and `--out` go to the script, which documents them.
pub fn command(mut args: Args) -> Result<()> {
    let out = args.option("--out")?.unwrap_or_else(|| project::root().join("www/e2e/shots"));
    if !args.flag("--no-build") {
        wasm::build()?;
    }
    let url = browser_tests::serve(Site::of_working_tree()?)?;
    // The script runs in its own folder; a relative path is meant from where the user is.
    let out = std::path::absolute(out)?;
    project::run(browser_tests::node("shots.mjs", &url)?.arg("--out").arg(out).args(args.rest()))
}
