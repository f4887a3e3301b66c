//! `cargo xtask dist`: the whole site in one folder, ready for any static host.

use std::path::Path;

use anyhow::{Context, Result};

use crate::site::Site;
use crate::{hashed_names, output, sizes, stripped};

pub fn command(options: &output::Options) -> Result<()> {
    let out = options.write("dist", write)?;
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
    output::ensure_whole(&files)?;
    output::replace(out, hashed_names::apply(files)?)
}
