//! What other crates and files declare in English, and the page says to a reader, is in each catalogue. What the page's own
//! code says, `cargo xtask tidy` compares.

use std::collections::BTreeSet;
use std::fs;

use moe_router::rule::{Branch, Family, Value};
use moe_router::{auxiliary, rules};
use moe_trace::ModelEntry;
use moe_trace::experiment::PRESETS;
use web::words::tongue::{Catalogue, Language};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn catalogue(language: Language) -> Catalogue {
    let folder = format!("{ROOT}/words/{}", language.code());
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let mut catalogue = Catalogue::new();
    for file in files {
        let path = file.expect("an entry of a folder").path();
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        catalogue.extend(serde_json::from_str::<Catalogue>(&text).unwrap_or_else(|error| panic!("{path:?}: {error}")));
    }
    catalogue
}

fn check(texts: impl IntoIterator<Item = String>) {
    let texts: BTreeSet<String> = texts.into_iter().filter(|text| !text.is_empty()).collect();
    for language in Language::ALL.into_iter().filter(|language| *language != Language::default()) {
        let catalogue = catalogue(language);
        let missing: Vec<&String> = texts.iter().filter(|text| !catalogue.contains_key(*text)).collect();
        assert!(missing.is_empty(), "not said in {}: {missing:#?}", language.own_name());
    }
}

#[test]
fn rules_are_said_in_every_language() {
    let words = rules::all().flat_map(|rule| {
        let own = [rule.title, rule.one_line, rule.needs, rule.trained_with, rule.at_inference];
        own.into_iter().chain(rule.equation).chain([rules::explained(rule).text])
    });
    let families = Family::ALL.into_iter().flat_map(|family| [family.title(), family.says()]);
    let branches = Branch::ALL.into_iter().map(Branch::title);
    check(words.chain(families).chain(branches).map(str::to_owned));
}

/// As a form shows them.
#[test]
fn fields_of_rules_are_said_in_every_language() {
    let arguments = rules::all().filter_map(|rule| rule.arguments()).flatten();
    let words = arguments.flat_map(|argument| {
        let choices = match argument.value {
            Value::Word(words) => words,
            Value::Count | Value::Number => &[],
        };
        [argument.key].into_iter().chain(choices.iter().copied())
    });
    check(words.map(|word| word.replace('_', " ")));
}

#[test]
fn losses_are_said_in_every_language() {
    let words = auxiliary::all().flat_map(|loss| [loss.title, loss.letters].into_iter().chain(loss.equation));
    let families = auxiliary::Family::ALL.into_iter().map(auxiliary::Family::title);
    check(words.chain(families).chain([auxiliary::LETTERS]).map(str::to_owned));
}

#[test]
fn experiments_are_said_in_every_language() {
    let words = PRESETS.iter().flat_map(|preset| [preset.title, preset.look_for].into_iter().chain(preset.sides));
    check(words.map(str::to_owned));
}

#[test]
fn models_and_kinds_of_text_are_said_in_every_language() {
    let read = |path: &str| fs::read_to_string(format!("{ROOT}/../www/site/{path}")).expect("a file of the site");
    let models: Vec<ModelEntry> = serde_json::from_str(&read("models/index.json")).expect("a list of models");
    let held_out = read("texts/held-out.txt");
    let kinds = held_out.split('\u{1e}').filter_map(|record| record.split_once(" | ")).map(|(kind, _)| kind.to_owned());
    check(models.into_iter().map(|model| model.title).chain(kinds));
}
