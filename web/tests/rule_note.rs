//! What the page says of a rule is what the rule says of itself, and its capacity formula is the router's.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use moe_router::{Router, rules};
use moe_trace::{CapacitySpec, Overflow, Rounding, RouterSpec, RoutingGroup, RoutingSpec};
use web::views::equation::{Equation, equation};
use web::views::rule_note::rule_note;
use yew::ServerRenderer;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
struct NoteProps {
    routing: RoutingSpec,
}

#[component]
fn Note(props: &NoteProps) -> Html {
    rule_note(&props.routing)
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
    equation(&Equation { routing, group: RoutingGroup::ThisText, num_experts: 8, num_tokens, capacity, status: "" })
}

/// The note of a rule, as HTML.
fn note(router: RouterSpec) -> String {
    let routing = RoutingSpec { router, overflow: Overflow::Dropless };
    drawn(ServerRenderer::<Note>::with_props(move || NoteProps { routing }))
}

fn drawn<Drawn: BaseComponent>(renderer: ServerRenderer<Drawn>) -> String {
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
    for (rule, example) in rules::all().filter_map(|rule| Some((rule, rule.example()?))) {
        let Ok(router) = rules::parse_router(example) else { continue };
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

/// The bold numbers of the formula for top-2 of eight experts.
fn check_formula(rounding: Rounding, factor: f32, num_tokens: usize, expected: &[&str]) {
    let overflow = Overflow::Drop(CapacitySpec { factor, rounding, ..CapacitySpec::default() });
    let routing = RoutingSpec { overflow, ..RoutingSpec::default() };
    let html = drawn(ServerRenderer::<Formula>::with_props(move || FormulaProps { routing, num_tokens }));
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
    let views = concat!(env!("CARGO_MANIFEST_DIR"), "/src/views");
    for file in std::fs::read_dir(views).expect("the folder of the views") {
        let path = file.expect("a file").path();
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(!text.contains(".ceil()") && !text.contains(".floor()"), "{} computes", path.display());
    }
}
