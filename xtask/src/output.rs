//! A folder that a command writes whole, in place of its earlier output.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::hashed_names::SiteFile;
use crate::{project, wasm};

/// Lies in every folder that was written here. Hidden, so that no host shows it and the site has no such file.
const MARKER: &str = ".moe-playground-dist";

#[derive(Args)]
pub struct Options {
    /// Where to: a new folder, an empty one, or an earlier output of this command
    #[arg(long)]
    out: Option<PathBuf>,
    /// Write what was built last
    #[arg(long)]
    no_build: bool,
}

impl Options {
    /// Builds what is asked for and has it written, by default into a folder of the repository of this name. The folder.
    pub fn write(&self, name: &str, write: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        let folder = self.out.clone().unwrap_or_else(|| project::root().join(name));
        if !self.no_build {
            wasm::build()?;
        }
        write(&folder)?;
        Ok(folder)
    }
}

/// Writes files into the folder and replaces what an earlier call wrote there. An error, and nothing changed, where
/// something lacks without which there is no page, or the folder holds what is not ours.
pub fn replace(folder: &Path, files: Vec<SiteFile>) -> Result<()> {
    ensure_empty_or_ours(folder)?;
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("could not empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder)?;
    fs::write(folder.join(MARKER), "`cargo xtask` wrote this folder and may empty it.\n")?;
    for (address, bytes) in files {
        let path = folder.join(address);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(&path, bytes).with_context(|| format!("could not write {}", path.display()))?;
    }
    Ok(())
}

/// An error where something lacks of a site's files without which there is no page.
pub fn ensure_whole(files: &[SiteFile]) -> Result<()> {
    let modules = ["web", "figure", "moe_worker", "moe_worker_gpu", "moe_lab_worker"];
    let modules = modules.map(|name| format!("assets/{name}_bg.wasm"));
    for needed in ["index.html", "assets/element.js"].into_iter().chain(modules.iter().map(String::as_str)) {
        let is_there = files.iter().any(|(address, _)| address == needed);
        ensure!(is_there, "the site has no {needed}; `cargo xtask build` makes what is compiled");
    }
    Ok(())
}

fn ensure_empty_or_ours(folder: &Path) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    let is_empty = folder.read_dir().with_context(|| format!("{} is not a folder", folder.display()))?.next().is_none();
    if !is_empty && !folder.join(MARKER).is_file() {
        bail!(
            "{} holds something that `cargo xtask` did not write; choose another --out, or remove it yourself",
            folder.display()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_earlier_output_is_replaced() {
        let folder = std::env::temp_dir().join(format!("moe-playground-output-{}", std::process::id()));
        fs::create_dir_all(folder.join("assets")).expect("a folder");
        fs::write(folder.join("index.html"), "somebody's own page").expect("a file");
        let files = || vec![("assets/new.js".to_owned(), b"new".to_vec())];
        let error = replace(&folder, files()).expect_err("it looks like a site and is not ours");
        assert!(error.to_string().contains("did not write") && folder.join("index.html").is_file());
        fs::write(folder.join(MARKER), "").expect("a file");
        replace(&folder, files()).expect("it is ours now");
        assert!(!folder.join("index.html").exists() && folder.join("assets/new.js").is_file());
        replace(&folder, files()).expect("it is still ours");
        fs::remove_dir_all(&folder).expect("it can be removed");
        replace(&folder, files()).expect("nothing is there");
        fs::remove_dir_all(&folder).expect("it can be removed");
    }
}
