//! What the page says of a rule is what the table of rules says.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use moe_router::rules;
use moe_trace::{Overflow, ROUTER_FORMS, RouterSpec, RoutingSpec};
use web::views::panels::lanes::rule_note::rule_note;
use yew::ServerRenderer;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
struct NoteProps {
    routing: RoutingSpec,
}

#[component]
fn Note(props: &NoteProps) -> Html {
    rule_note(&props.routing, 8)
}

/// The note of a rule, as HTML.
fn note(router: RouterSpec) -> String {
    let routing = RoutingSpec { router, overflow: Overflow::Dropless };
    let renderer = ServerRenderer::<Note>::with_props(move || NoteProps { routing });
    let mut html = pin!(renderer.hydratable(false).render());
    // It waits for nothing but the renderer's own threads.
    let mut context = Context::from_waker(Waker::noop());
    loop {
        match html.as_mut().poll(&mut context) {
            Poll::Ready(html) => return html,
            Poll::Pending => std::thread::yield_now(),
        }
    }
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
