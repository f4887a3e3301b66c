//! What the page says of a rule is what the table of rules says.

use moe_router::rules;
use moe_trace::{Overflow, ROUTER_FORMS, RouterSpec, RoutingGroup, RoutingSpec};
use web::views::rule_controls::{RuleControls, RuleControlsProps};
use web::views::rule_note::rule_note;
use yew::prelude::*;

use super::html;

#[derive(Properties, PartialEq)]
struct NoteProps {
    routing: RoutingSpec,
}

#[component]
fn Note(props: &NoteProps) -> Html {
    rule_note(&props.routing, 8, Html::default())
}

/// The note of a rule, as HTML.
fn note(router: RouterSpec) -> String {
    let routing = RoutingSpec { router, overflow: Overflow::Dropless };
    html::<Note>(move || NoteProps { routing })
}

#[test]
fn every_rule_has_a_note_in_the_words_of_the_table() {
    for form in ROUTER_FORMS {
        let rule = rules::find(form.head).expect(form.head);
        let note = note(form.example.parse().expect(form.example));
        assert!(note.contains(&format!("<b>{}</b>", rule.title)), "{note}");
        assert!(note.contains(rule.one_line), "{note}");
        assert_eq!(note.matches("https://arxiv.org/abs/").count(), rule.paper.matches("arXiv:").count(), "{note}");
        assert!(rule.equation.is_none_or(|place| note.contains(place)), "{note}");
    }
}

/// What the note says of later tokens.
fn check(text: &str, expected: &str) {
    let note = note(text.parse().expect(text));
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
    let rule = rule.parse().expect(rule);
    html::<RuleControls>(move || {
        let (trained, dispatch) = ("top_k:2".parse().expect("a rule"), Callback::noop());
        RuleControlsProps { rule, trained, drawn: rule, num_experts: 8, group, dispatch }
    })
}

#[test]
fn every_rule_can_be_chosen_and_has_its_fields() {
    for form in ROUTER_FORMS {
        let html = controls(form.example, RoutingGroup::ThisText);
        for other in ROUTER_FORMS {
            let choice = format!(" value=\"{}\"", other.head);
            assert_eq!(html.matches(&choice).count(), 1, "{} among the rules", other.head);
        }
        for argument in form.arguments {
            assert!(
                html.contains(&format!("<span>{}</span>", argument.key.replace('_', " "))),
                "{}: {html}",
                form.head
            );
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
