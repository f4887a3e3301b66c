//! `cargo xtask bench`: how fast, how large. Each part prints a Markdown table and leaves its numbers as JSON.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::browser_tests;
use crate::site::Site;
use crate::{dist, other_browsers, project, sizes, toolchain, wasm};

#[derive(Args)]
pub struct Options {
    part: Option<Part>,
    /// Measure what was built last
    #[arg(long)]
    no_build: bool,
    /// Options of criterion, www/e2e/bench.mjs or another of its kind, after those above
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTIONS")]
    pub rest: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Native,
    Browser,
    /// How soon the page is there over a slow line
    Network,
    Page,
    /// What figures that were removed leave behind
    Mounts,
    /// What a step costs at each length of the text
    Length,
    /// One run after the other in each browser that there is
    Others,
    /// Beside other engines: wllama and onnxruntime-web
    Peers,
    Sizes,
}

pub fn command(options: &Options) -> Result<()> {
    let out = project::target_dir()?.join("bench");
    fs::create_dir_all(&out)?;
    let is_chosen = |part: Part| options.part.is_none_or(|only| only == part);
    if !options.no_build && !matches!(options.part, Some(Part::Native)) {
        wasm::build()?;
    }
    // Their options are of different programs, so they belong to one part.
    let rest = if options.part.is_some() { options.rest.as_slice() } else { &[] };
    if is_chosen(Part::Sizes) {
        sizes(&out)?;
    }
    let scripts = [
        (Part::Browser, "bench.mjs"),
        (Part::Page, "bench_page.mjs"),
        (Part::Length, "bench_length.mjs"),
        (Part::Mounts, "bench_mounts.mjs"),
    ];
    for (part, script) in scripts {
        if is_chosen(part) {
            browser(script, &out, rest)?;
        }
    }
    if is_chosen(Part::Network) {
        network(&out, rest)?;
    }
    if is_chosen(Part::Others) {
        other_browsers::bench()?;
    }
    if is_chosen(Part::Peers) {
        peers(&out, rest)?;
    }
    if is_chosen(Part::Native) {
        native(rest)?;
    }
    Ok(())
}

/// Criterion's benchmarks. They use the profile of the tests, so that the tensor library is not compiled once more.
fn native(rest: &[String]) -> Result<()> {
    let mut command = project::cargo("bench");
    let benches = ["--bench", "engine", "--bench", "int8", "--bench", "rules"];
    let command = command.args(["--profile", "test"]).args(project::NATIVE_PACKAGES).args(benches);
    project::run(command.arg("--").args(rest))
}

/// In Chromium: `www/e2e/bench.mjs` the page on every rung, `bench_page.mjs` what the page's own thread does,
/// `bench_length.mjs` the worker alone, `bench_mounts.mjs` what figures leave behind.
fn browser(script: &str, out: &Path, rest: &[String]) -> Result<()> {
    let url = browser_tests::serve(Site::of_working_tree()?)?;
    let json = out.join(script).with_extension("json");
    project::run(browser_tests::node(script, &url)?.arg("--json").arg(&json).args(rest))?;
    eprintln!("the numbers are in {}", json.display());
    Ok(())
}

/// The page as a host has it, at the end of a line: `www/e2e/bench_network.mjs`.
fn network(out: &Path, rest: &[String]) -> Result<()> {
    let folder = out.join("dist");
    dist::write(&folder)?;
    let url = browser_tests::serve(Site::of_folder(folder.clone()))?;
    let json = out.join("bench_network.json");
    let mut command = browser_tests::node("bench_network.mjs", &url)?;
    command.arg("--folder").arg(&folder).arg("--json").arg(&json);
    project::run(command.args(rest))?;
    eprintln!("the numbers are in {}", json.display());
    Ok(())
}

/// Ours and other engines in one Chromium, with models that are written for it. The others are installed here, and nowhere
/// else.
fn peers(out: &Path, rest: &[String]) -> Result<()> {
    toolchain::ensure_npm_packages(&project::root().join("www/e2e/peers"))?;
    let url = browser_tests::serve(Site::of_working_tree()?)?;
    let json = out.join("peers.json");
    let mut command = browser_tests::node("peers/bench.mjs", &url)?;
    command.arg("--models").arg(out.join("peers")).arg("--json").arg(&json);
    project::run(command.args(rest))?;
    eprintln!("the numbers are in {}", json.display());
    Ok(())
}

/// What a reader downloads.
fn sizes(out: &Path) -> Result<()> {
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
