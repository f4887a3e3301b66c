//! JSON: what browsers support, as excerpts of at most 6 kB. Held out: whole source files, drawn by a hash of their path.

use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value};

use super::dedupe::Novelty;
use super::document::{Document, shuffle_key};
use super::package::{Package, Registry, Unpacked};

pub const PACKAGES: &[Package] =
    &[Package { registry: Registry::Npm { version: "8.1.9" }, name: "@mdn/browser-compat-data", licence: "CC0-1.0" }];

const MAX_BYTES: usize = 3_000_000;
/// A feature with more text than this is given without its sub-features, and those by themselves.
const MAX_EXCERPT_BYTES: usize = 6_000;
/// Twelve lines are four browsers: fewer would make every table of versions a copy.
const WINDOW: usize = 12;

/// One document an excerpt, one file a source file of the package, in an order that has nothing to do with their names.
pub fn documents(packages: &[Unpacked]) -> Result<Vec<Document>> {
    let [package] = packages else { unreachable!("PACKAGES names one") };
    let path = package.folder.join("data.json");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let data: Map<String, Value> = serde_json::from_str(&text)?;

    let mut excerpts = Vec::new();
    for (name, value) in &data {
        collect(name, value, &mut excerpts)?;
    }
    // The sort is stable: the excerpts of a file keep their order.
    excerpts.sort_by_cached_key(|excerpt| shuffle_key(&excerpt.file));

    let mut novelty = Novelty::new(WINDOW);
    let mut bytes = 0;
    excerpts.retain(|excerpt| {
        let keep = bytes < MAX_BYTES && novelty.admit(&excerpt.text);
        bytes += if keep { excerpt.text.len() } else { 0 };
        keep
    });
    ensure!(bytes >= MAX_BYTES, "the excerpts have {bytes} bytes, {MAX_BYTES} were expected");
    Ok(excerpts)
}

/// A feature is an object with a `__compat` member; its other members are its sub-features.
fn collect(name: &str, value: &Value, excerpts: &mut Vec<Document>) -> Result<()> {
    let Value::Object(members) = value else { return Ok(()) };
    let Some(compat) = members.get("__compat") else {
        return members.iter().try_for_each(|(name, value)| collect(name, value, excerpts));
    };
    let file = compat.get("source_file").and_then(Value::as_str).unwrap_or(name);
    let whole = serde_json::to_string_pretty(&serde_json::json!({ name: value }))?;
    if whole.len() <= MAX_EXCERPT_BYTES {
        excerpts.push(Document::new(file, &whole));
        return Ok(());
    }
    let alone = serde_json::to_string_pretty(&serde_json::json!({ name: { "__compat": compat } }))?;
    if alone.len() <= MAX_EXCERPT_BYTES {
        excerpts.push(Document::new(file, &alone));
    }
    let parts = members.iter().filter(|(name, _)| *name != "__compat");
    parts.into_iter().try_for_each(|(name, value)| collect(name, value, excerpts))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn excerpts(value: Value) -> Vec<Document> {
        let mut excerpts = Vec::new();
        collect("css", &value, &mut excerpts).expect("it can be written");
        excerpts
    }

    #[test]
    fn a_small_feature_is_given_whole() {
        let color = json!({ "__compat": { "source_file": "color.json" }, "named": { "__compat": {} } });
        let expected = serde_json::to_string_pretty(&json!({ "color": color })).expect("it can be written");
        assert_eq!(excerpts(json!({ "properties": { "color": color } })), [Document::new("color.json", &expected)]);
    }

    #[test]
    fn a_large_feature_is_given_in_parts() {
        let part = json!({ "__compat": { "source_file": "a.json", "notes": "x".repeat(4_000) } });
        let whole = json!({ "a": { "__compat": { "source_file": "a.json" }, "b": part, "c": part } });
        let texts: Vec<_> = excerpts(whole).into_iter().map(|excerpt| excerpt.text).collect();
        assert_eq!(texts.len(), 3);
        assert!(texts[0].contains("\"a\"") && !texts[0].contains("\"b\"") && texts[1].contains("\"b\""));
    }
}
