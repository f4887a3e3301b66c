//! `index.json` of the folder of models: what the page's menu lists.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use moe_model::Manifest;
use moe_router::rules;
use moe_trace::ModelEntry;

/// The model of the page, and what one compares it with: the order of the menu. Others come behind, by name.
const ORDER: [&str; 12] = [
    "default",
    "instruct",
    "default-dense",
    "top2",
    "unbalanced",
    "switch",
    "deepseek",
    "expert-choice",
    "cosine",
    "hash",
    "per-sequence",
    "dense",
];

/// Lists the models of a folder, as JSON.
pub fn of_folder(models: &Path) -> Result<String> {
    let mut entries = Vec::new();
    for folder in fs::read_dir(models).with_context(|| format!("cannot read {}", models.display()))? {
        let folder = folder?.path();
        let Ok(manifest) = fs::read(folder.join("manifest.json")) else { continue };
        let manifest = Manifest::from_json(&manifest).with_context(|| format!("in {}", folder.display()))?;
        let info = manifest.info();
        entries.push(ModelEntry {
            folder: folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            download_bytes: manifest.weights.bytes + manifest.tokenizer.bytes,
            num_parameters: info.num_parameters,
            num_active_parameters: info.num_active_parameters,
            num_experts: info.num_experts,
            rule: rules::router_text(&info.trained_routing.router),
            name: manifest.name,
            title: manifest.title,
        });
    }
    let place = |entry: &ModelEntry| ORDER.iter().position(|name| *name == entry.name).unwrap_or(ORDER.len());
    entries.sort_by(|a, b| place(a).cmp(&place(b)).then_with(|| a.name.cmp(&b.name)));
    Ok(serde_json::to_string_pretty(&entries)? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sites_index_lists_the_sites_models() {
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../www/site/models");
        let written = fs::read_to_string(models.join("index.json")).expect("the site has an index of models");
        assert_eq!(written, of_folder(&models).expect("all manifests can be read"), "run `cargo xtask train export`");
        assert!(written.contains("\"default\""));
    }
}
