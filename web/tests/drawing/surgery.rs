//! What the page shows of changes inside the model: what can be changed, what was, and where that is seen.

use moe_trace::{Intervention, RoutingSpec, RunRequest};
use web::run::shared::Shared;
use web::settings::attributes::Config;
use web::settings::interventions::Interventions;
use web::state::surgery::Operation;
use web::state::{Action, State, replay};
use web::views::page::{Page, PageProps};
use yew::Callback;

use super::html;
use crate::fixture;

/// The page of an element with these attributes, at a run that was made with `inside` and has expert 3 of layer 2 and token
/// 5 selected, after the reader did this.
fn drawn(attributes: &'static [(&str, &str)], inside: &'static str, operations: Vec<Operation>) -> String {
    html::<Page>(move || {
        let (config, errors) = Config::read(|name| match name {
            "backend" => Some("recorded".to_owned()),
            _ => attributes.iter().find(|(of, _)| *of == name).map(|(_, text)| (*text).to_owned()),
        });
        assert_eq!(errors, []);
        let mut file = fixture::trace_of_rule(RoutingSpec::default(), 8, 1);
        let interventions = changes(inside);
        file.header.request = file.header.request.map(|request| RunRequest { interventions, ..request });
        let began = replay::began(file.header).expect("a run of ours");
        let steps = file.steps.into_iter().map(replay::step);
        let select = Action::Select { token: 5, layer: Some(2), expert: Some(3) };
        let operations = operations.into_iter().map(Action::Operate);
        let actions = std::iter::once(began).chain(steps).chain([replay::finished(), select]).chain(operations);
        let state = actions.fold(State::new(config, errors).0, |state, action| state.apply(action).0);
        PageProps { state: Shared::new(state), dispatch: Callback::noop() }
    })
}

fn changes(text: &str) -> Vec<Intervention> {
    Interventions::parse(text).expect(text).to_vec()
}

fn make(text: &str) -> Vec<Operation> {
    changes(text).into_iter().map(Operation::Make).collect()
}

const FULL: &[(&str, &str)] = &[("view", "full")];

/// Does the page say all of this, and nothing of that?
fn check(html: &str, has: &[&str], has_not: &[&str]) {
    for words in has {
        assert!(html.contains(words), "nothing says {words:?}");
    }
    for words in has_not {
        assert!(!html.contains(words), "something says {words:?}");
    }
}

#[test]
fn what_can_be_done_is_offered_for_the_selected_expert_and_token() {
    let html = drawn(FULL, "none", Vec::new());
    let offered = ["Mute E3</button>", "Swap E3 with", "its own choice</option>", "Router temperature", "Gate noise"];
    check(&html, &offered, &["Undo", "is-operated", "muted", "Take back"]);
    assert_eq!(html.matches("aria-label=\"Mute expert ").count(), 8, "a switch at the head of every lane");
}

#[test]
fn a_story_has_none_of_it_and_says_what_was_changed() {
    let html = drawn(&[("view", "full"), ("depth", "story")], "mute:2,3", Vec::new());
    check(&html, &["· 1 change<", "<small>muted</small>"], &["aria-label=\"Mute expert ", "aria-label=\"What if\""]);
}

#[test]
fn what_was_changed_stands_beside_every_number() {
    let html = drawn(FULL, "mute:2,3 swap:2,0,1 noise:*,0.25", Vec::new());
    let title = "Changed inside the model: expert 3 of layer 2 muted, experts 0 and 1 of layer 2 swapped, \
        gate noise 0.25 in every layer";
    assert_eq!(html.matches(title).count(), html.matches("class=\"panel-head\"").count(), "in every panel");
    check(
        &html,
        &[
            "<small>muted</small>",
            ", muted\"",
            "Swapped: expert 1 computes what is sent here",
            "by E0</small>",
            "Changed here: expert 3 of layer 2 muted",
            "aria-label=\"Take back: gate noise 0.25 in every layer\"",
            "Reset all",
        ],
        &[],
    );
    // Elsewhere, and of other tokens, nothing is said.
    check(
        &drawn(FULL, "force:2,4,7 mute:1,3", Vec::new()),
        &["· 2 changes"],
        &["Changed here", "<small>muted</small>"],
    );
    check(&drawn(FULL, "force:2,5,7", Vec::new()), &["· 1 change<", "token 5 sent to expert 7 in layer 2"], &[]);
}

#[test]
fn what_is_asked_for_is_listed_before_it_runs() {
    let asked = make("mute:2,3 swap:2,3,6 force:2,5,1 temperature:*,2");
    let html = drawn(FULL, "none", asked);
    check(
        &html,
        &[
            "aria-label=\"Take back: expert 3 of layer 2 muted\"",
            "<option value=\"6\" selected=\"selected\">E6</option>",
            "<option value=\"1\" selected=\"selected\">E1</option>",
            "aria-valuetext=\"2.00\"",
            "Undo",
            "The model can only be re-run with an engine",
        ],
        // The run on the screen was made without.
        &["is-operated", "<small>muted</small>"],
    );
    assert_eq!(html.matches("aria-pressed=\"true\" title=\"Let expert 3 of layer 2 be asked again\"").count(), 2);
}

#[test]
fn a_figure_has_it_where_its_author_says_so() {
    const PART: &str = "aria-label=\"What if\"";
    const SWITCH: &str = "aria-label=\"Mute expert ";
    let figure = |attributes: &'static [(&str, &str)]| drawn(attributes, "mute:2,3", Vec::new());
    check(&figure(&[("view", "lanes"), ("controls", "capacity")]), &["· 1 change<"], &[PART, SWITCH]);
    check(&figure(&[("view", "token"), ("controls", "none")]), &["Changed here"], &[PART]);
    let lanes = figure(&[("view", "lanes"), ("controls", "surgery")]);
    check(&lanes, &[PART, SWITCH, "figure-bar"], &["data-capacity"]);
    let both = figure(&[("view", "lanes token"), ("controls", "surgery")]);
    assert_eq!(both.matches(PART).count(), 1, "in the token's panel alone");
}
