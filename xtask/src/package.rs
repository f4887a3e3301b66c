//! `cargo xtask package`: the npm package in a folder, whole, ready to be published.
//!
//! It is the site as it lies, with one model and the recorded run, and beside it what npm and editors read. Names have no
//! hashes: a version of the package is a folder of its own wherever it is served from.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::site::Site;
use crate::{dist, project, sizes, stripped, wasm};

/// What stands in the package beside the site's files, from the folder of its sources.
const BESIDE: [&str; 7] = [
    "package.json",
    "README.md",
    "LICENSE",
    "index.d.ts",
    "types.d.ts",
    "custom-elements.json",
    "bin/moe-playground.mjs",
];

/// Of the site what the package has: the folders, and the files at its top.
const FOLDERS: [&str; 1] = ["assets/"];
const FILES: [&str; 10] = [
    "index.html",
    "site.css",
    "site.js",
    "embed.html",
    "embed.js",
    "traces/default.jsonl",
    "models/default/manifest.json",
    "models/default/weights.safetensors",
    "models/default/tokenizer.json",
    "models/default/MODEL_CARD.md",
];

/// Keeps the folder of the sources, which is no whole package, from being published.
const PRIVATE: &str = "  \"private\": true,\n";

#[derive(Args)]
pub struct Options {
    /// Where to: a new folder, an empty one, or an earlier output [default: dist-package]
    #[arg(long)]
    out: Option<PathBuf>,
    /// Write what was built last
    #[arg(long)]
    no_build: bool,
}

pub fn command(options: &Options) -> Result<()> {
    let out = options.out.clone().unwrap_or_else(|| project::root().join("dist-package"));
    if !options.no_build {
        wasm::build()?;
    }
    write(&out)?;
    println!("{}", sizes::gzip_table(&out)?);
    println!("the package is in {}; `npm publish` there publishes it", out.display());
    Ok(())
}

/// Writes the package into a folder, replacing an earlier one.
pub fn write(out: &Path) -> Result<()> {
    let mut files = Vec::new();
    for (address, content) in Site::of_working_tree()?.contents()? {
        if is_of_package(&address) {
            let bytes = content.read().with_context(|| format!("could not read {address}"))?;
            files.push((address.clone(), stripped::of_file(&address, bytes)?));
        }
    }
    dist::ensure_whole(&files)?;
    for name in FILES {
        ensure!(files.iter().any(|(address, _)| address == name), "the site has no {name}");
    }
    let sources = sources();
    for name in BESIDE {
        let bytes = fs::read(sources.join(name)).with_context(|| format!("could not read {name} of the package"))?;
        files.push((name.to_owned(), if name == "package.json" { public(bytes)? } else { bytes }));
    }
    dist::clear(out)?;
    dist::write_files(out, files)
}

fn sources() -> PathBuf {
    project::root().join("www/packages/moe-playground")
}

fn is_of_package(address: &str) -> bool {
    FILES.contains(&address) || FOLDERS.iter().any(|folder| address.starts_with(folder))
}

/// The description of the package that may be published.
fn public(bytes: Vec<u8>) -> Result<Vec<u8>> {
    let text = String::from_utf8(bytes)?;
    ensure!(text.contains(PRIVATE), "the package.json of the sources is to be private");
    Ok(text.replacen(PRIVATE, "", 1).into_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_description_names_what_is_there_and_has_this_version() {
        let bytes = fs::read(sources().join("package.json")).expect("a description");
        let package: Value = serde_json::from_slice(&public(bytes).expect("private")).expect("JSON");
        assert_eq!(package["version"], env!("CARGO_PKG_VERSION"));
        assert!(package.get("private").is_none());
        for name in BESIDE {
            assert!(sources().join(name).is_file(), "{name}");
        }
        let named = [
            &package["main"],
            &package["types"],
            &package["customElements"],
            &package["bin"]["moe-playground"],
            &package["exports"]["."]["types"],
            &package["exports"]["."]["default"],
            &package["exports"]["./types"]["types"],
        ];
        for name in named {
            let name = name.as_str().expect("a path").trim_start_matches("./");
            // Of the assets only what is not compiled lies in the working tree.
            let is_asset = name.strip_prefix("assets/").is_some_and(|name| sources().join("src").join(name).is_file());
            assert!(is_asset || BESIDE.contains(&name), "{name}");
        }
        let listed: Vec<&str> = package["files"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        for file in
            BESIDE.iter().chain(&FILES).filter(|file| !matches!(**file, "package.json" | "README.md" | "LICENSE"))
        {
            let is_listed = listed.iter().any(|listed| file == listed || file.starts_with(&format!("{listed}/")));
            assert!(is_listed, "npm would leave out {file}");
        }
    }

    #[test]
    fn other_models_and_examples_stay_out() {
        let check = |address: &str, expected: bool| assert_eq!(is_of_package(address), expected, "{address}");
        check("assets/export/save.js", true);
        check("index.html", true);
        check("models/default/weights.safetensors", true);
        check("models/default/history.safetensors", false);
        check("models/switch/weights.safetensors", false);
        check("models/index.json", false);
        check("examples/capacity.html", false);
    }
}
