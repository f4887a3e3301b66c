//! The models a site offers: `models/index.json`, a list in the order of the menu.

use moe_router::rules;
use moe_trace::{ModelEntry, ModelInfo};

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
        match &self.entry.folder {
            name if is_plain_name(name) => name.clone(),
            _ => self.manifest_url.strip_suffix("manifest.json").unwrap_or(&self.manifest_url).to_owned(),
        }
    }
}

/// The menu: never empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Menu {
    choices: Vec<Choice>,
}

impl Menu {
    /// `resolve` makes an address absolute that is relative to the list. A list without models is not a menu, and one with a
    /// model that cannot be is none either.
    pub fn new(entries: Vec<ModelEntry>, resolve: impl Fn(&str) -> String) -> Result<Menu, String> {
        for (number, entry) in entries.iter().enumerate() {
            moe_trace::check_entry(number, entry).map_err(|error| error.to_string())?;
            rules::parse_router(&entry.rule).map_err(|error| format!("rule of model {number}: {error}"))?;
        }
        let choice = |entry: ModelEntry| Choice { manifest_url: resolve(&manifest_of(&entry.folder)), entry };
        let choices: Vec<Choice> = entries.into_iter().map(choice).collect();
        if choices.is_empty() { Err("it has no models".to_owned()) } else { Ok(Menu { choices }) }
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

/// Is this the name of a model beside the page, rather than an address? Names are what a link may say: it cannot make the
/// page load a model from elsewhere.
pub fn is_plain_name(text: &str) -> bool {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let is_address = text.starts_with('.') || text.ends_with(".json");
    !text.is_empty() && !is_address && text.chars().all(is_of_name)
}

/// The same as a regular expression, for the script of the index page, which runs before there is any Rust.
pub const PLAIN_NAME: &str = r"^(?!.*\.json$)[\w-][\w.-]*$";

/// The absolute address of the manifest of a model: of the one that `model` names or addresses, or of the page's own.
/// `beside_assets` and `of_document` make a relative address absolute, as seen from the folder of the assets and from
/// the document.
pub fn manifest_url(
    model: Option<&str>,
    beside_assets: impl FnOnce(&str) -> String,
    of_document: impl FnOnce(&str) -> String,
) -> String {
    match model.unwrap_or("default") {
        name if is_plain_name(name) => beside_assets(&format!("../models/{name}/manifest.json")),
        address => of_document(&manifest_of(address)),
    }
}

/// The manifest of a model by the address of its folder or of the manifest itself. A query stays: it may hold a
/// signature or a version.
pub fn manifest_of(address: &str) -> String {
    let address = address.split_once('#').map_or(address, |(address, _)| address);
    let (path, query) = address.split_at(address.find('?').unwrap_or(address.len()));
    match path {
        _ if path.ends_with(".json") => address.to_owned(),
        "" => format!("manifest.json{query}"),
        _ => format!("{}/manifest.json{query}", path.trim_end_matches('/')),
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
    fn a_list_without_models_or_with_one_that_cannot_be_is_no_menu() {
        let check = |entries: Vec<ModelEntry>, message: &str| {
            let error = Menu::new(entries, str::to_owned).expect_err(message);
            assert!(error.starts_with(message), "{error}");
        };
        check(Vec::new(), "it has no models");
        let half = ModelEntry { num_active_parameters: 2, ..entry() };
        check(vec![entry(), half], "num_active_parameters of model 1 is 2; num_parameters allows at most 1");
        check(vec![ModelEntry { name: "x".repeat(300), ..entry() }], "the length of name of model 0 is 300");
        check(vec![ModelEntry { rule: "top_x:2".to_owned(), ..entry() }], "rule of model 0: ");
        let large = ModelEntry { num_experts: u32::MAX, ..entry() };
        check(vec![large], "num_experts of model 0 is 4294967295; the format allows at most 4096");
    }

    /// Names and addresses as attributes have them, and the manifests they stand for. The page is `https://host/a/page`;
    /// addresses are made absolute just as far as these examples need it.
    const MODELS: [(&str, &str); 19] = [
        ("default", "https://host/models/default/manifest.json"),
        ("top-2.v1_b", "https://host/models/top-2.v1_b/manifest.json"),
        ("-", "https://host/models/-/manifest.json"),
        ("x.json", "https://host/a/x.json"),
        (".", "https://host/a/./manifest.json"),
        ("..", "https://host/a/../manifest.json"),
        (".hidden", "https://host/a/.hidden/manifest.json"),
        ("my model", "https://host/a/my model/manifest.json"),
        ("größe", "https://host/a/größe/manifest.json"),
        ("models/mine", "https://host/a/models/mine/manifest.json"),
        ("models/mine/", "https://host/a/models/mine/manifest.json"),
        ("models/mine/manifest.json", "https://host/a/models/mine/manifest.json"),
        ("/mine/", "https://host/mine/manifest.json"),
        ("mine?v=3", "https://host/a/mine/manifest.json?v=3"),
        ("?v=3", "https://host/a/manifest.json?v=3"),
        ("mine/#top", "https://host/a/mine/manifest.json"),
        ("https://cdn/m/?sig=a/b.json", "https://cdn/m/manifest.json?sig=a/b.json"),
        ("https://cdn/m/manifest.json?sig=a%2Fb", "https://cdn/m/manifest.json?sig=a%2Fb"),
        ("https://cdn", "https://cdn/manifest.json"),
    ];

    fn of_document(address: &str) -> String {
        match address {
            _ if address.contains("://") => address.to_owned(),
            _ if address.starts_with('/') => format!("https://host{address}"),
            _ => format!("https://host/a/{address}"),
        }
    }

    fn beside_assets(address: &str) -> String {
        address.replacen("..", "https://host", 1)
    }

    #[test]
    fn names_and_addresses_find_their_manifest() {
        for (model, manifest) in MODELS {
            assert_eq!(manifest_url(Some(model), beside_assets, of_document), manifest, "{model}");
        }
        assert_eq!(manifest_url(None, beside_assets, of_document), MODELS[0].1);
    }

    #[test]
    fn what_a_choice_says_of_itself_finds_the_same_manifest() {
        for (folder, _) in MODELS {
            let entry = ModelEntry { folder: folder.to_owned(), ..entry() };
            let resolve = |address: &str| {
                if address.contains("://") { address.to_owned() } else { format!("https://host/models/{address}") }
            };
            let menu = Menu::new(vec![entry], resolve).expect("it is not empty");
            let choice = &menu.choices()[0];
            let found = manifest_url(Some(&choice.attribute()), beside_assets, of_document);
            assert_eq!(found, choice.manifest_url, "{folder}");
        }
    }

    #[test]
    fn the_page_takes_from_a_link_what_is_a_plain_name() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../www/site/site.js");
        let page = std::fs::read_to_string(path).expect("there is a page");
        assert!(page.contains(&format!("/{PLAIN_NAME}/.test(")), "{path} has another rule than /{PLAIN_NAME}/");
    }

    fn entry() -> ModelEntry {
        ModelEntry {
            name: "a model".to_owned(),
            title: "of a test".to_owned(),
            folder: "folder".to_owned(),
            download_bytes: 1,
            num_parameters: 1,
            num_active_parameters: 1,
            num_experts: 8,
            training_tokens: None,
            rule: "top_k:2".to_owned(),
        }
    }
}
