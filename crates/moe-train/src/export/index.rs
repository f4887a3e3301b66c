//! `index.json` of the folder of models: what the page's menu lists.

use std::path::Path;

use anyhow::Result;
use moe_router::rules;
use moe_trace::ModelEntry;

use crate::site_model::SiteModel;

/// Lists the models of a folder in the order their run files give them, as JSON.
pub fn of_folder(models: &Path) -> Result<String> {
    let entry = |model: SiteModel| {
        let (folder, manifest) = (model.folder_name(), model.manifest);
        let info = manifest.info();
        ModelEntry {
            folder,
            download_bytes: manifest.weights.bytes + manifest.tokenizer.bytes,
            num_parameters: info.num_parameters,
            num_active_parameters: info.num_active_parameters,
            num_experts: info.num_experts,
            training_tokens: info.training_tokens,
            rule: rules::router_text(&info.trained_routing.router),
            name: manifest.name,
            title: manifest.title,
        }
    };
    let entries: Vec<ModelEntry> = SiteModel::all_in(models)?.into_iter().map(entry).collect();
    Ok(serde_json::to_string_pretty(&entries)? + "\n")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_sites_index_lists_the_sites_models() {
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../www/site/models");
        let written = fs::read_to_string(models.join("index.json")).expect("the site has an index of models");
        assert_eq!(written, of_folder(&models).expect("all manifests can be read"), "run `cargo xtask train export`");
        assert!(written.contains("\"default\""));
    }

    /// The budget that manifest and menu give is that of the run file, and of the one it goes on from.
    #[test]
    fn every_model_says_how_much_it_learned_from() {
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../www/site/models");
        for model in SiteModel::all_in(&models).expect("the site has models") {
            let run = model.run().expect("it has a run file");
            let expected = super::super::training_tokens(&run, &models).expect("its beginning is there");
            assert!(expected.is_some(), "{}", model.name());
            assert_eq!(model.manifest.training_tokens, expected, "{}", model.name());
        }
    }
}
