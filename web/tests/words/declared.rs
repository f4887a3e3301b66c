//! The page shows texts that are declared elsewhere: of rules and losses, of the lab's experiments, of models. Each has a
//! translation in every catalogue. What the page says itself `cargo xtask tidy` compares.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use moe_router::rule::{Branch, Family, Run};
use moe_router::{auxiliary, rules};
use moe_trace::experiment::PRESETS;
use serde_json::{Map, Value};

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn read(path: &str) -> Value {
    let path = root().join(path);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Fails with every text that the file lacks.
#[track_caller]
fn check(file: &str, texts: impl IntoIterator<Item = String>) {
    let Value::Object(catalogue) = read(&format!("web/words/zh/{file}")) else { panic!("{file} is no object") };
    let is_missing = |text: &String| !text.is_empty() && !is_translated(&catalogue, text);
    let missing: BTreeSet<String> = texts.into_iter().filter(is_missing).collect();
    assert!(missing.is_empty(), "web/words/zh/{file} lacks {missing:#?}");
}

fn is_translated(catalogue: &Map<String, Value>, text: &str) -> bool {
    catalogue.get(text).and_then(Value::as_str).is_some_and(|translation| !translation.trim().is_empty())
}

#[test]
fn rules_are_translated() {
    let of_rules = rules::all().flat_map(|rule| {
        let instead = match &rule.run {
            Run::InRust(elsewhere) => elsewhere.instead,
            _ => "",
        };
        let texts = [rule.title, rule.one_line, rule.needs, rule.trained_with, rule.at_inference, instead];
        texts.into_iter().chain([rules::explained(rule).text]).chain(rule.equation)
    });
    let of_families = Family::ALL.into_iter().flat_map(|family| [family.title(), family.says()]);
    let of_branches = Branch::ALL.into_iter().map(Branch::title);
    check("rules.json", of_rules.chain(of_families).chain(of_branches).map(str::to_owned));
}

#[test]
fn losses_are_translated() {
    let of_losses = auxiliary::all().flat_map(|loss| [loss.title, loss.letters, loss.family.title()]);
    check("losses.json", of_losses.chain([auxiliary::LETTERS]).map(str::to_owned));
}

#[test]
fn experiments_are_translated() {
    let of_presets = PRESETS.iter().flat_map(|preset| {
        let [first, second] = preset.sides;
        [preset.title, preset.look_for, first, second]
    });
    check("experiments.json", of_presets.map(str::to_owned));
}

#[test]
fn the_models_of_the_menu_are_translated() {
    let Value::Array(models) = read("www/site/models/index.json") else { panic!("the menu is a list") };
    check("models.json", models.iter().filter_map(|model| Some(model["title"].as_str()?.to_owned())));
}
