//! `cargo xtask dist`: the whole site in one folder, ready for any static host.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::args::Args;
use crate::hashed_names;
use crate::site::Site;
use crate::{project, sizes, wasm};

pub fn command(mut args: Args) -> Result<()> {
    let out: PathBuf = args.option("--out")?.unwrap_or_else(|| project::root().join("dist"));
    let no_build = args.flag("--no-build");
    args.finish()?;
    if !no_build {
        wasm::build()?;
    }
    write(&out)?;
    println!("{}", sizes::table(&sizes::measure(&out)?));
    println!("the site is in {}", out.display());
    Ok(())
}

/// Writes the site with hashed names into a folder, replacing an earlier one.
pub fn write(out: &Path) -> Result<()> {
    let site = Site::of_working_tree()?;
    let mut files = Vec::new();
    for (address, content) in site.contents()? {
        let bytes = content.read().with_context(|| format!("could not read {address}"))?;
        files.push((address, bytes));
    }
    let has = |name: &str| files.iter().any(|(address, _)| address == name);
    for needed in ["index.html", "assets/element.js", "assets/web_bg.wasm", "assets/moe_worker_bg.wasm"] {
        if !has(needed) {
            bail!("the site has no {needed}; `cargo xtask build` makes what is compiled");
        }
    }

    clear(out)?;
    for (address, bytes) in hashed_names::apply(files)? {
        let path = out.join(address);
        fs::create_dir_all(path.parent().unwrap_or(out))?;
        fs::write(&path, bytes).with_context(|| format!("could not write {}", path.display()))?;
    }
    Ok(())
}

/// Empties a folder, but only one that looks like an earlier output of ours.
fn clear(out: &Path) -> Result<()> {
    if !out.exists() {
        return Ok(());
    }
    let is_empty = out.read_dir().with_context(|| format!("{} is not a folder", out.display()))?.next().is_none();
    let is_site = out.join("index.html").is_file() && out.join("assets").is_dir();
    if !is_empty && !is_site {
        bail!("{} holds something else than an earlier site; choose another --out", out.display());
    }
    fs::remove_dir_all(out).with_context(|| format!("could not empty {}", out.display()))
}
