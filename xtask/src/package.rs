//! `cargo xtask package`: the npm package in a folder, whole, ready to be published.
//!
//! It is the site as it lies, with one model and the recorded run, and beside it what npm and editors read. Names have no
//! hashes: a version of the package is a folder of its own wherever it is served from.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::site::Site;
use crate::{output, project, sizes, stripped};

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
const FOLDERS: [&str; 2] = ["assets/", "texts/lab/"];
const FILES: [&str; 19] = [
    "index.html",
    "site.css",
    "site.js",
    "embed.html",
    "embed.js",
    "traces/default.jsonl",
    "lessons/gate.json",
    "lessons/capacity.json",
    "lessons/policies.json",
    "lessons/balance.json",
    "lessons/specialise.json",
    "texts/held-out.txt",
    "words/zh.json",
    MENU,
    "models/default/manifest.json",
    "models/default/weights.safetensors",
    "models/default/tokenizer.json",
    "models/default/history.safetensors",
    "models/default/MODEL_CARD.md",
];

/// The models that the page offers.
const MENU: &str = "models/index.json";
/// The one that the package has.
const MODEL: &str = "default";

/// Keeps the folder of the sources, which is not a whole package, from being published.
const PRIVATE: &str = "  \"private\": true,\n";

pub fn command(options: &output::Options) -> Result<()> {
    let out = options.write("dist-package", write)?;
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
            let bytes = if address == MENU { menu(&bytes)? } else { stripped::of_file(&address, bytes)? };
            files.push((address.clone(), bytes));
        }
    }
    output::ensure_whole(&files)?;
    for name in FILES {
        ensure!(files.iter().any(|(address, _)| address == name), "the site has no {name}");
    }
    let sources = sources();
    for name in BESIDE {
        let bytes = fs::read(sources.join(name)).with_context(|| format!("could not read {name} of the package"))?;
        files.push((name.to_owned(), if name == "package.json" { public(bytes)? } else { bytes }));
    }
    output::replace(out, files)
}

fn sources() -> PathBuf {
    project::root().join("www/packages/moe-playground")
}

fn is_of_package(address: &str) -> bool {
    FILES.contains(&address) || FOLDERS.iter().any(|folder| address.starts_with(folder))
}

/// The site's menu with the package's model alone.
fn menu(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut models: Vec<Value> = serde_json::from_slice(bytes).context("the menu of models")?;
    models.retain(|model| model["folder"] == MODEL);
    ensure!(models.len() == 1, "the menu has not one model in the folder {MODEL}");
    Ok(serde_json::to_vec_pretty(&models)?)
}

/// The description of the package that may be published.
fn public(bytes: Vec<u8>) -> Result<Vec<u8>> {
    let text = String::from_utf8(bytes)?;
    ensure!(text.contains(PRIVATE), "the package.json of the sources is to be private");
    Ok(text.replacen(PRIVATE, "", 1).into_bytes())
}

#[cfg(test)]
mod tests {
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
    fn the_menu_offers_what_the_package_has() {
        let site = project::root().join("www/site").join(MENU);
        let models = menu(&fs::read(site).expect("a menu")).expect("the model is in it");
        let models: Vec<Value> = serde_json::from_slice(&models).expect("a menu");
        assert!(models.iter().map(|model| &model["folder"]).eq([MODEL]));
    }

    #[test]
    fn other_models_and_examples_stay_out() {
        let check = |address: &str, expected: bool| assert_eq!(is_of_package(address), expected, "{address}");
        check("assets/export/save.js", true);
        check("index.html", true);
        check("models/default/weights.safetensors", true);
        check("models/default/history.safetensors", true);
        check("models/unbalanced/history.safetensors", false);
        check("models/switch/weights.safetensors", false);
        check("examples/capacity.html", false);
    }
}
