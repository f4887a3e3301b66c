//! `cargo xtask dist`: the whole site in one folder, ready for any static host.

use std::path::Path;

use anyhow::{Context, Result};
use clap::Args;

use crate::site::Site;
use crate::{hashed_names, oembed, output, sizes, stripped};

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    output: output::Options,
    /// Where the site will be served, so that editors can embed a link to it (oEmbed)
    #[arg(long, value_name = "URL")]
    address: Option<String>,
}

pub fn command(options: &Options) -> Result<()> {
    let out = options.output.write("dist", |out| write_for(out, options.address.as_deref()))?;
    println!("{}", sizes::table(&sizes::measure(&out)?));
    println!("the site is in {}", out.display());
    Ok(())
}

/// Writes the site with hashed names into a folder, replacing an earlier one.
pub fn write(out: &Path) -> Result<()> {
    write_for(out, None)
}

/// The same, served at this address.
fn write_for(out: &Path, address: Option<&str>) -> Result<()> {
    let site = Site::of_working_tree()?;
    let mut files = Vec::new();
    for (address, content) in site.contents()? {
        let bytes = content.read().with_context(|| format!("could not read {address}"))?;
        let bytes = stripped::of_file(&address, bytes)?;
        files.push((address, bytes));
    }
    output::ensure_whole(&files)?;
    if let Some(address) = address {
        oembed::add(&mut files, address)?;
    }
    output::replace(out, hashed_names::apply(files)?)
}
