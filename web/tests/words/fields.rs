//! The fields of rules' forms, and the words to choose from in them, have a translation in every catalogue.

use std::collections::BTreeSet;
use std::fs;

use moe_router::rule::Value;
use moe_router::rules;
use web::words::tongue::{Catalogue, Language};

#[test]
fn fields_of_rules_are_translated() {
    let arguments = rules::all().filter_map(|rule| rule.arguments()).flatten();
    let words = arguments.flat_map(|argument| {
        let choices: &[&str] = match argument.value {
            Value::Word(words) => words,
            Value::Count | Value::Number => &[],
        };
        [argument.key].into_iter().chain(choices.iter().copied())
    });
    let words: BTreeSet<&str> = words.collect();
    for language in Language::ALL.into_iter().filter(|language| *language != Language::default()) {
        let path = format!("{}/words/{}/rules.json", env!("CARGO_MANIFEST_DIR"), language.code());
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let catalogue: Catalogue = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let missing: Vec<&&str> = words.iter().filter(|word| !catalogue.contains_key(**word)).collect();
        assert!(missing.is_empty(), "{path} lacks {missing:?}");
    }
}
