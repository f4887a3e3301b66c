//! `cargo xtask bench`: how fast, how large. Each part prints a Markdown table and leaves its numbers as JSON.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::args::Args;
use crate::browser_tests;
use crate::site::Site;
use crate::{dist, project, sizes, wasm};

pub fn command(mut args: Args) -> Result<()> {
    let part = args.word();
    let no_build = args.flag("--no-build");
    let out = project::target_dir()?.join("bench");
    fs::create_dir_all(&out)?;
    match part.as_deref() {
        Some("native") => native(args),
        Some("browser") => browser(args, no_build, &out),
        Some("sizes") => sizes(args, no_build, &out),
        None => {
            args.finish()?;
            sizes(Args::default(), no_build, &out)?;
            browser(Args::default(), true, &out)?;
            native(Args::default())
        }
        Some(other) => bail!("there is no benchmark '{other}'; there are native, browser and sizes"),
    }
}

/// Criterion's benchmarks. They use the profile of the tests, so that the tensor library is not compiled once more.
fn native(args: Args) -> Result<()> {
    let mut command = project::cargo("bench");
    let benches = ["--bench", "engine", "--bench", "rules"];
    let command = command.args(["--profile", "test"]).args(project::NATIVE_PACKAGES).args(benches);
    project::run(command.arg("--").args(args.rest()))
}

/// The page in Chromium, on every rung.
fn browser(args: Args, no_build: bool, out: &Path) -> Result<()> {
    if !no_build {
        wasm::build()?;
    }
    let url = browser_tests::serve(Site::of_working_tree()?)?;
    let json = out.join("browser.json");
    project::run(browser_tests::node("bench.mjs", &url)?.arg("--json").arg(&json).args(args.rest()))?;
    eprintln!("the numbers are in {}", json.display());
    Ok(())
}

/// What a reader downloads.
fn sizes(args: Args, no_build: bool, out: &Path) -> Result<()> {
    args.finish()?;
    if !no_build {
        wasm::build()?;
    }
    let folder: PathBuf = out.join("dist");
    dist::write(&folder)?;
    let files = sizes::measure(&folder)?;
    println!("{}", sizes::table(&files));
    let as_json = |sizes: &sizes::Sizes| -> Value {
        json!({ "raw_bytes": sizes.raw_bytes, "gzip_bytes": sizes.gzip_bytes, "brotli_bytes": sizes.brotli_bytes })
    };
    let list: serde_json::Map<String, Value> =
        files.iter().map(|(address, sizes)| (address.clone(), as_json(sizes))).collect();
    let json = out.join("sizes.json");
    fs::write(&json, serde_json::to_vec_pretty(&list)?)
        .with_context(|| format!("could not write {}", json.display()))?;
    eprintln!("the numbers are in {}", json.display());
    Ok(())
}
