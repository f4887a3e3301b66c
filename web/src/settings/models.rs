//! The models a site offers: `models/index.json`, a list in the order of the menu.

use moe_trace::ModelInfo;
use serde::Deserialize;

/// One model of the list. Sizes in bytes and parameters.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ModelEntry {
    pub name: String,
    /// What it is, in a few words: "top-2 of 8, balanced".
    pub title: String,
    /// Where its manifest lies, relative to the list. For a model beside the page this is its name in links.
    pub folder: String,
    /// Weights and tokenizer as they lie.
    pub download_bytes: u32,
    pub num_parameters: u32,
    pub num_active_parameters: u32,
    pub num_experts: u32,
    /// The routing rule it was trained with, as text: `top_k:2`.
    pub rule: String,
}

/// A model of the list that can be loaded.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    pub entry: ModelEntry,
    /// Absolute.
    pub manifest_url: String,
}

impl Choice {
    /// What the element's attribute says of it: the name of a model beside the page, else an address. An attribute is
    /// relative to the document and not to the list, so the address is absolute.
    pub fn attribute(&self) -> String {
        let folder = &self.entry.folder;
        let is_name = folder.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
        if is_name && !folder.ends_with(".json") {
            folder.clone()
        } else {
            self.manifest_url.trim_end_matches("manifest.json").to_owned()
        }
    }
}

/// The menu: never empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Menu {
    choices: Vec<Choice>,
}

impl Menu {
    /// `resolve` makes an address absolute that is relative to the list. A list without models is no menu.
    pub fn new(entries: Vec<ModelEntry>, resolve: impl Fn(&str) -> String) -> Option<Menu> {
        let choice = |entry: ModelEntry| Choice { manifest_url: resolve(&manifest_of(&entry.folder)), entry };
        let choices: Vec<Choice> = entries.into_iter().map(choice).collect();
        (!choices.is_empty()).then_some(Menu { choices })
    }

    pub fn choices(&self) -> &[Choice] {
        &self.choices
    }

    pub fn find(&self, manifest_url: &str) -> Option<&Choice> {
        self.choices.iter().find(|choice| choice.manifest_url == manifest_url)
    }
}

/// Are these the same weights, meant to be routed the same way?
pub fn are_same(one: &ModelInfo, other: &ModelInfo) -> bool {
    one.weights_sha256 == other.weights_sha256 && one.trained_routing == other.trained_routing
}

/// The manifest of a model that is named by its folder or by the manifest itself.
pub fn manifest_of(address: &str) -> String {
    if address.ends_with(".json") {
        address.to_owned()
    } else {
        format!("{}/manifest.json", address.trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_list_is_readable_and_begins_with_the_default() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../www/site/models/index.json");
        let text = std::fs::read_to_string(path).expect("the site has a list");
        let entries: Vec<ModelEntry> = serde_json::from_str(&text).expect("it is a list of models");
        let menu = Menu::new(entries, |address| format!("https://host/models/{address}")).expect("it is not empty");
        assert_eq!(menu.choices()[0].manifest_url, "https://host/models/default/manifest.json");
        assert_eq!(menu.find("https://host/models/default/manifest.json"), menu.choices().first());
        assert_eq!(menu.find("https://elsewhere/models/default/manifest.json"), None);
        for Choice { entry, .. } in menu.choices() {
            assert!(moe_router::rules::parse_router(&entry.rule).is_ok(), "{}", entry.rule);
            assert!(entry.num_active_parameters <= entry.num_parameters && entry.download_bytes > 0);
        }
    }

    #[test]
    fn a_folder_and_its_manifest_name_the_same_model() {
        for address in ["a/b", "a/b/", "a/b/manifest.json"] {
            assert_eq!(manifest_of(address), "a/b/manifest.json");
        }
        assert_eq!(Menu::new(Vec::new(), str::to_owned), None);
    }
}
