//! `cargo xtask dist`: the whole site in one folder, ready for any static host.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::hashed_names::{self, SiteFile};
use crate::site::Site;
use crate::{project, sizes, stripped, wasm};

/// Lies in every folder that this command wrote. Hidden, so that no host shows it and the site has no such file.
const MARKER: &str = ".moe-playground-dist";

#[derive(Args)]
pub struct Options {
    /// Where to: a new folder, an empty one, or an earlier output of this command [default: dist]
    #[arg(long)]
    out: Option<PathBuf>,
    /// Write what was built last
    #[arg(long)]
    no_build: bool,
}

pub fn command(options: &Options) -> Result<()> {
    let out = options.out.clone().unwrap_or_else(|| project::root().join("dist"));
    if !options.no_build {
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
        let bytes = stripped::of_file(&address, bytes)?;
        files.push((address, bytes));
    }
    ensure_whole(&files)?;
    clear(out)?;
    write_files(out, hashed_names::apply(files)?)
}

/// An error where something lacks of a site's files without which there is no page.
pub fn ensure_whole(files: &[SiteFile]) -> Result<()> {
    let has = |name: &str| files.iter().any(|(address, _)| address == name);
    let modules = ["web", "figure", "moe_worker", "moe_lab_worker"].map(|name| format!("assets/{name}_bg.wasm"));
    for needed in ["index.html", "assets/element.js"].into_iter().chain(modules.iter().map(String::as_str)) {
        if !has(needed) {
            bail!("the site has no {needed}; `cargo xtask build` makes what is compiled");
        }
    }
    Ok(())
}

/// Writes files into an empty folder, with the mark by which a later output may replace it.
pub fn write_files(out: &Path, files: Vec<SiteFile>) -> Result<()> {
    fs::create_dir_all(out)?;
    fs::write(out.join(MARKER), "`cargo xtask` wrote this folder and may empty it.\n")?;
    for (address, bytes) in files {
        let path = out.join(address);
        fs::create_dir_all(path.parent().unwrap_or(out))?;
        fs::write(&path, bytes).with_context(|| format!("could not write {}", path.display()))?;
    }
    Ok(())
}

/// Empties a folder, but only an earlier output of ours.
pub fn clear(out: &Path) -> Result<()> {
    if !out.exists() {
        return Ok(());
    }
    let is_empty = out.read_dir().with_context(|| format!("{} is not a folder", out.display()))?.next().is_none();
    if !is_empty && !out.join(MARKER).is_file() {
        bail!(
            "{} holds something that `cargo xtask dist` did not write; choose another --out, or remove it yourself",
            out.display()
        );
    }
    fs::remove_dir_all(out).with_context(|| format!("could not empty {}", out.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_earlier_output_is_emptied() {
        let folder = std::env::temp_dir().join(format!("moe-playground-dist-{}", std::process::id()));
        fs::create_dir_all(folder.join("assets")).expect("a folder");
        fs::write(folder.join("index.html"), "somebody's own page").expect("a file");
        let error = clear(&folder).expect_err("it looks like a site and is not ours");
        assert!(error.to_string().contains("did not write") && folder.join("index.html").is_file());
        fs::write(folder.join(MARKER), "").expect("a file");
        clear(&folder).expect("it is ours now");
        assert!(!folder.exists());
        clear(&folder).expect("nothing is there");
    }
}
