//! The page shows texts that are declared elsewhere: of rules and losses, of the lab's experiments, of prompts,
//! of models. Each has a
//! translation in every catalogue. What the page says itself `cargo xtask tidy` compares.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use moe_router::auxiliary::{Missing, Seen};
use moe_router::dispatch::dropless;
use moe_router::rule::{Branch, Family, Run};
use moe_router::token_choice::top_k;
use moe_router::{auxiliary, example, rules};
use moe_trace::experiment::PRESETS;
use moe_trace::{Weighting, prompts};
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
    let sources = rules::all().map(|rule| rule.paper).filter(|paper| has_words(paper));
    check("rules.json", of_rules.chain(of_families).chain(of_branches).chain(sources).map(str::to_owned));
}

#[test]
fn losses_are_translated() {
    let of_losses = auxiliary::all().flat_map(|loss| [loss.title, loss.letters, loss.family.title()]);
    let sources = auxiliary::all().map(|loss| loss.paper).filter(|paper| has_words(paper));
    let missing = Missing::ALL.map(Missing::says);
    let texts = of_losses.chain(sources).chain(missing).chain([auxiliary::LETTERS]);
    check("losses.json", texts.map(str::to_owned).chain(of_terms()));
}

/// Does a source say more than authors, years, titles and numbers, which are the same in every language?
fn has_words(paper: &str) -> bool {
    let title = paper.find('“').zip(paper.find('”')).map_or("", |(start, end)| &paper[start..end]);
    let plain = paper.replace(title, "");
    let is_said = |word: &str| word.starts_with(|c: char| c.is_ascii_lowercase()) && !is_of_citations(word);
    plain.split_whitespace().any(is_said)
}

fn is_of_citations(word: &str) -> bool {
    ["et", "al.", "and"].contains(&word) || word.starts_with("arXiv:")
}

#[test]
fn citations_have_no_words_and_remarks_do() {
    for paper in [
        "Jordan and Jacobs 1994; Eigen et al. 2013",
        "Dai et al. 2024 (X), arXiv:2401.06066",
        "A 2024, “A survey of b”",
    ] {
        assert!(!has_words(paper), "{paper}");
    }
    for paper in ["the code of mesh-TensorFlow", "Dai et al. 2024, arXiv:2401.06066; A for the sigmoid"] {
        assert!(has_words(paper), "{paper}");
    }
}

/// What losses say of the experts' parts, where it is words and no formula.
fn of_terms() -> Vec<String> {
    let gate_logits = example::gate_logits();
    let routing = dropless(&top_k::requests(&gate_logits, 2, Weighting::Norm), 6, 4);
    let routers = ["top_k:2", "noisy_top_k:2", "remoe:2"].map(rules::parse_router);
    let parts = routers.iter().flatten().flat_map(|router| {
        let seen = Seen { gate_logits: Some(&gate_logits), routing: &routing, router };
        auxiliary::all()
            .filter_map(|loss| (loss.measure)(&seen).ok()?.terms.map(|terms| terms.what))
            .collect::<Vec<_>>()
    });
    let texts: Vec<String> = parts.filter(|what| is_said(what)).map(str::to_owned).collect();
    assert!(texts.iter().any(|text| text.contains("entropies")), "{texts:?}");
    texts
}

fn is_said(what: &str) -> bool {
    what.split_whitespace().any(|word| word.len() > 1 && word.chars().all(|c| c.is_ascii_lowercase()))
}

#[test]
fn the_example_prompts_are_translated() {
    let kinds = ["default", "instruct"].into_iter().flat_map(prompts::of_model).map(|(kind, _)| kind.to_owned());
    check("prompts.json", kinds);
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
