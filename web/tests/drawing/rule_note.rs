//! What the page says of a rule is what the rule says of itself, and its capacity formula is the router's.

use std::fs;
use std::path::Path;

use moe_router::rule::Rule;
use moe_router::{Router, rules};
use moe_trace::{CapacitySpec, Overflow, Rounding, RouterSpec, RoutingGroup, RoutingSpec};
use web::views::panels::lanes::equation::{Equation, equation};
use web::views::panels::lanes::rule_controls::{RuleControls, RuleControlsProps};
use web::views::panels::lanes::rule_note::rule_note;
use yew::prelude::*;

use super::html;

#[derive(Properties, PartialEq)]
struct NoteProps {
    routing: RoutingSpec,
    num_experts: usize,
}

#[component]
fn Note(props: &NoteProps) -> Html {
    rule_note(&props.routing, props.num_experts, Html::default())
}

#[derive(Properties, PartialEq)]
struct FormulaProps {
    routing: RoutingSpec,
    num_tokens: usize,
}

#[component]
fn Formula(props: &FormulaProps) -> Html {
    let FormulaProps { routing, num_tokens } = *props;
    let capacity = Router::new(routing, 8).expect("a legal spec").capacity(num_tokens);
    let of =
        Equation { routing, group: RoutingGroup::ThisText, num_experts: 8, num_tokens, capacity, status: "".into() };
    equation(&of, Html::default())
}

/// Every rule that assigns by gate logits, with the numbers of its example.
fn all() -> impl Iterator<Item = (&'static Rule, RouterSpec)> {
    rules::all().filter_map(|rule| Some((rule, rules::parse_router(rule.example()?).ok()?)))
}

/// The note of a rule, as HTML.
fn note(router: RouterSpec) -> String {
    let routing = RoutingSpec { router, overflow: Overflow::Dropless };
    html::<Note>(move || NoteProps { routing, num_experts: 8 })
}

#[test]
fn a_model_of_one_expert_has_nothing_to_route() {
    for (rule, router) in all() {
        let routing = RoutingSpec { router, overflow: Overflow::Dropless };
        let note = html::<Note>(move || NoteProps { routing, num_experts: 1 });
        assert!(note.contains("there is nothing to route"), "{note}");
        assert!(!note.contains(&format!("<b>{}</b>", rule.title)) && !note.contains("Rule:"), "{note}");
    }
}

#[test]
fn every_rule_has_a_note_in_the_words_of_the_table() {
    for (rule, router) in all() {
        let note = note(router);
        assert!(note.contains(&format!("<b>{}</b>", rule.title)), "{note}");
        assert!(note.contains(rule.one_line), "{note}");
        assert_eq!(note.matches("https://arxiv.org/abs/").count(), rule.paper.matches("arXiv:").count(), "{note}");
        assert!(rule.equation.is_none_or(|place| note.contains(place)), "{note}");
    }
}

/// What the note says of later tokens.
fn check(text: &str, expected: &str) {
    let note = note(rules::parse_router(text).expect(text));
    assert!(note.contains(expected), "{text}: {note}");
}

#[test]
fn whether_a_rule_looks_ahead() {
    check("top_k:2", "Causal: no token");
    check("expert_choice:2", "Not causal: a token");
    check("sinkhorn:1", "Not causal: a token");
    // What is balanced in training is greedy at inference.
    check("sinkhorn:1,greedy", "Not causal in training; as it runs here it is.");
}

/// The controls of a rule, as HTML, on a model that was trained with top-2 of eight experts.
fn controls(rule: &str, group: RoutingGroup) -> String {
    let rule = rules::parse_router(rule).expect(rule);
    html::<RuleControls>(move || {
        let (trained, dispatch) = (rules::parse_router("top_k:2").expect("a rule"), Callback::noop());
        RuleControlsProps { rule, trained, drawn: rule, num_experts: 8, group, dispatch }
    })
}

#[test]
fn every_rule_can_be_chosen_and_has_its_fields() {
    for (rule, _) in all() {
        let html = controls(rule.example().expect(rule.name), RoutingGroup::ThisText);
        for (other, _) in all() {
            let choice = format!(" value=\"{}\"", other.name);
            assert_eq!(html.matches(&choice).count(), 1, "{} among the rules", other.name);
        }
        for argument in rule.arguments().unwrap_or_default() {
            let label = format!("<span>{}</span>", argument.key.replace('_', " "));
            assert!(html.contains(&label), "{}: {html}", rule.name);
        }
    }
}

#[test]
fn what_cannot_run_here_is_barred_and_says_why() {
    let barred = |group: RoutingGroup| controls("top_k:2", group).matches("disabled=\"disabled\"").count();
    // Balanced hashing has no counts. One token at a time there are no later ones to look at.
    assert_eq!(barred(RoutingGroup::ThisText), 1);
    let looking_ahead = ["per_sequence", "expert_choice", "strictly_balanced", "sinkhorn", "base"];
    assert_eq!(barred(RoutingGroup::DecodeStep), 1 + looking_ahead.len());
    assert!(controls("top_k:2", RoutingGroup::DecodeStep).contains("a decode step has one token"));
}

/// The bold numbers of the formula for top-2 of eight experts.
fn check_formula(rounding: Rounding, factor: f32, num_tokens: usize, expected: &[&str]) {
    let overflow = Overflow::Drop(CapacitySpec { factor, rounding, ..CapacitySpec::default() });
    let routing = RoutingSpec { overflow, ..RoutingSpec::default() };
    let html = html::<Formula>(move || FormulaProps { routing, num_tokens });
    let formula = html.split("class=\"fine\"").next().unwrap_or_default();
    let found: Vec<&str> = formula.split("<b>").skip(1).filter_map(|piece| piece.split("</b>").next()).collect();
    assert_eq!(found, expected, "{html}");
}

#[test]
fn the_formula_beside_the_lanes_is_the_routers() {
    check_formula(Rounding::Ceil, 1.25, 6, &["C", "1.25", "2", "6", "8", "2"]);
    // The f32 next to 1.2 is a little more, and would make 28 of it.
    check_formula(Rounding::Ceil, 1.2, 90, &["C", "1.2", "2", "90", "8", "27"]);
    check_formula(Rounding::Ceil, 4.0, 3, &["C", "4", "2", "3", "8", "3"]);
    // Held by the number of tokens.
    check_formula(Rounding::Ceil, 8.0, 1, &["C", "8", "2", "1", "8", "2", "1"]);
    // Of another formula only the result is shown.
    check_formula(Rounding::Floor, 1.25, 6, &["C", "1"]);
}

#[test]
fn views_round_no_slots_themselves() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/views")];
    let mut num_files = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of views") {
            let path = entry.expect("a file").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            num_files += 1;
            let text = fs::read_to_string(&path).expect("a view");
            assert!(!text.contains(".ceil()") && !text.contains(".floor()"), "{} computes", path.display());
        }
    }
    assert!(num_files > 30, "only {num_files} files were looked at");
}
