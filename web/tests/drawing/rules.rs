//! What the views say of runs under every kind of rule: made-up gate logits, routed by the real router, drawn as a reader
//! sees them.

use moe_router::rules;
use moe_trace::{BackendChoice, CapacitySpec, Overflow, RoutingSpec, TraceFile};
use web::run::gate_reading::GateReading;
use web::run::scene::TokenFate;
use web::run::shared::Shared;
use web::settings::attributes::Config;
use web::settings::{Setting, rule_form};
use web::state::replay;
use web::state::{Action, State};
use web::views::page::{Page, PageProps};
use yew::Callback;

use super::html;
use crate::fixture;

/// A run of a model trained with `rule` and a small capacity, shown at step 0.
fn run_of(rule: &str, num_experts: usize) -> State {
    let router = rules::parse_router(rule).expect("a rule");
    let overflow = Overflow::Drop(CapacitySpec::default());
    shown(fixture::trace_of_rule(RoutingSpec { router, overflow }, num_experts, 2))
}

/// The state after an action.
fn after(state: State, action: Action) -> State {
    state.apply(action).0
}

fn set(state: &State, setting: Setting) -> State {
    state.apply(Action::Set(setting)).0
}

fn shown(file: TraceFile) -> State {
    let config = Config { backend: BackendChoice::Recorded, ..Config::default() };
    let began = replay::began(file.header).expect("a run of ours");
    let steps = file.steps.into_iter().map(replay::step);
    let actions = [began].into_iter().chain(steps).chain([replay::finished(), Action::StepTo(0)]);
    actions.fold(State::new(config, Vec::new()).0, after)
}

/// The page as HTML.
fn drawn(state: &State) -> String {
    // A state stays on its thread: the run is read again where it is drawn.
    let file = state.latest().map(|shown| TraceFile {
        header: shown.header(),
        steps: shown.steps.iter().map(|step| (**step).clone()).collect(),
    });
    let (file, selection) = (file.expect("a run"), state.selection());
    let (router, factor) = (state.routing().router, state.settings().capacity_factor);
    html::<Page>(move || {
        let state = [Setting::Rule(router), Setting::CapacityFactor(factor)]
            .into_iter()
            .fold(shown(file), |state, setting| set(&state, setting));
        let selection = Action::Select { token: selection.token, layer: Some(selection.layer), expert: None };
        PageProps { state: Shared::new(after(state, selection)), dispatch: Callback::noop() }
    })
}

/// Does the page contain these words, and none of those?
fn check(state: &State, has: &[&str], has_not: &[&str]) {
    let html = drawn(state);
    for words in has {
        assert!(html.contains(words), "nothing says {words:?}");
    }
    for words in ["NaN", "255%"].iter().chain(has_not) {
        assert!(!html.contains(words), "something says {words:?}");
    }
    // An infinite number; "inference" is a word.
    assert!(html.split(|c: char| !c.is_alphabetic()).all(|word| word != "inf"), "something says \"inf\"");
}

const DASH_OF_K: &str = r#"<option value="as-trained" selected="selected">–</option>"#;

#[test]
fn switch_asks_one_expert_and_is_a_top_k() {
    let state = run_of("switch", 8);
    assert!(!state.settings_differ_from_shown());
    check(
        &state,
        &["k per token", r#"<option value="1" selected="selected">1</option>"#],
        &[">not as trained<", "as-trained"],
    );
}

/// What passes no gate has a lane without slots; a model without it has none.
#[test]
fn shared_experts_have_a_lane() {
    let with = |num_shared: u32| {
        let spec = RoutingSpec {
            router: rules::parse_router("top_k:2").expect("a rule"),
            overflow: Overflow::Drop(CapacitySpec::default()),
        };
        let mut file = fixture::trace_of_rule(spec, 4, 2);
        file.header.model.as_mut().expect("a model of ours").num_shared_experts = num_shared;
        drawn(&shown(file))
    };
    assert!(!with(0).contains("shared-lane"));
    assert!(
        with(1)
            .contains("<b>S</b><span>shared expert: computes every token, without being asked</span><small>24</small>")
    );
    assert!(with(3).contains("3 shared experts: compute every token"));
}

/// A long queue has marks for the first, and all in a list behind their number.
#[test]
fn a_long_queue_is_a_list() {
    let state = set(&run_of("top_k:2", 4), Setting::CapacityFactor(0.25));
    let html = drawn(&state);
    let mut is_long = false;
    for lane in html.split(r#"role="group" aria-label="Expert "#).skip(1) {
        let (label, lane) = lane.split_once('"').expect("a label");
        // Of other groups the label says something else.
        let Some(lost) = label.strip_suffix(" turned away") else { continue };
        let lost: usize = lost.rsplit(' ').next().and_then(|lost| lost.parse().ok()).expect("a number");
        let lane = lane.split("lane-count").next().zip(lane.split("lane-count").nth(1)).expect("a count");
        let queue = lane.0.split("class=\"queue").nth(1).expect("a queue").matches("<button").count();
        assert_eq!(queue, lost.min(4));
        let list = lane.1.split_once("explained turned-away").map_or("", |(_, list)| list);
        let list = list.split("</ul>").next().unwrap_or_default();
        assert_eq!(list.matches("<li>").count(), if lost > 4 { lost } else { 0 });
        is_long |= lost > 4;
    }
    assert!(is_long, "some queue is long");
}

#[test]
fn hash_reads_no_gate() {
    let mut state = run_of("hash:seed=0", 4);
    assert!(!state.settings_differ_from_shown());
    check(
        &state,
        &[
            "This rule has no gate",
            "All experts; this rule has no gate",
            ", no gate; served, first choice",
            DASH_OF_K,
            "<td>–</td>",
        ],
        &["gate 100", ">not as trained<", "Gate probabilities"],
    );
    // Other slots, the same experts: the rule was not touched.
    let scene = state.scene().cloned().expect("a scene");
    state = set(&state, Setting::CapacityFactor(4.0));
    let what_if = state.what_if().cloned().expect("the same ids, hashed again");
    let experts =
        |layer: &web::run::scene::SceneLayer| layer.routing.assignments.iter().map(|a| a.expert).collect::<Vec<_>>();
    assert_eq!(experts(&what_if), experts(&scene.layers[state.selection().layer]));
    assert_eq!((what_if.totals().lost, what_if.routing.capacity), (0, Some(24)));
    // k turns it into top-k, which reads the gate; and says that it was not trained so.
    state = set(&state, Setting::K(Some(2)));
    let what_if = state.what_if().cloned().expect("top-2 of the same logits");
    assert_eq!(what_if.gate_values.len(), 24 * 4);
    check(&state, &[">not as trained<", "what-if", "choice 2, gate "], &[]);
    state = set(&set(&state, Setting::K(None)), Setting::CapacityFactor(1.25));
    assert!(!state.settings_differ_from_shown(), "as trained again");
}

#[test]
fn experts_that_choose_are_not_asked() {
    let state = run_of("expert_choice:1", 8);
    let scene = state.scene().cloned().expect("a scene");
    let fates = |at: usize| (0..scene.tokens.len()).map(move |token| (at, token));
    let places: Vec<(usize, usize)> = (0..scene.layers.len()).flat_map(fates).collect();
    let asked = |&(layer, token): &(usize, usize)| scene.layers[layer].of_token(token).len();
    let none = *places.iter().find(|place| asked(place) == 0).expect("somebody is left out");
    let many = *places.iter().find(|place| asked(place) > 2).expect("somebody is popular");
    assert_eq!(scene.layers[none.0].fate(none.1), TokenFate::NotRouted);
    let select = |(layer, token)| state.apply(Action::Select { token, layer: Some(layer), expert: None }).0;
    let said = [
        "Every expert picks 3 tokens, those it scores highest",
        "Expert 0: picks 3 tokens",
        "Tokens were picked by no expert",
        "looks ahead: fine in training",
        "as recorded",
        DASH_OF_K,
        "Under this rule no request is turned away",
    ];
    check(&select(none), &said, &["exactly full", "Expert 0: 3 requests, 3 slots", ">not as trained<"]);
    check(&select(none), &["was picked by no expert", ">–</span>"], &["requested no expert"]);
    let more = format!("+{}</span>", asked(&many) - 2);
    check(&select(many), &["was picked by experts", &more], &["is served by"]);
}

#[test]
fn sigmoid_scores_are_no_probabilities() {
    let state = run_of("deepseek:k=3", 15);
    let scene = state.scene().cloned().expect("a scene");
    assert!(scene.layers[0].values_of(0).iter().sum::<f32>() > 2.0, "they sum to nothing in particular");
    check(
        &state,
        &[
            "Gate scores of all experts, by sigmoid",
            "scores, not probabilities",
            "choice 3, score 0.",
            "E14",
            DASH_OF_K,
            "ceil(",
            "<b>15</b>",
            "is-crowded",
        ],
        &["choice 1, gate", "Gate probabilities", ">not as trained<"],
    );
    // The bias that takes part in the choice is in no trace: no what-if can be true.
    let state = set(&state, Setting::CapacityFactor(2.0));
    assert!(state.settings_differ_from_shown() && state.what_if().is_none());
}

#[test]
fn a_whole_text_has_one_decision() {
    let state = run_of("per_sequence:2", 8);
    check(
        &state,
        &[
            "The rule decides by the mean over the whole text",
            "choice 1, gate over the whole text",
            "looks ahead: fine in training",
            "6 experts stay idle",
            r#"<option value="decode-step" disabled="disabled">"#,
        ],
        &[">not as trained<"],
    );
}

#[test]
fn one_expert_serves_everything() {
    let state = run_of("top_k:1", 1);
    check(
        &state,
        &[
            "One expert serves everything: 24 tokens",
            "at most T",
            "Layer 0, its only expert",
            r#"<option value="random-second" disabled="disabled">"#,
            "<td>0.00</td>",
        ],
        &[">not as trained<", "times the average", "E1<"],
    );
    let dense = run_of("dense", 1);
    check(
        &dense,
        &["C = ∞", "The only expert serves every request: 24 tokens", DASH_OF_K],
        &[">not as trained<", "/24"],
    );
}

#[test]
fn dense_asks_everybody() {
    let state = run_of("dense", 4);
    check(
        &state,
        &["is served by all 4 experts", "every expert serves 24 tokens", "Every expert gets 24 requests", "+2</span>"],
        &[">not as trained<", "experts 0,"],
    );
}

#[test]
fn every_rule_that_gate_logits_are_enough_for_can_be_drawn() {
    for example in rules::all().filter_map(|rule| rule.example()) {
        let Ok(router) = rules::parse_router(example) else { continue };
        if !rules::facts(&router).besides.is_in_a_model() {
            continue;
        }
        let state = run_of(example, 8);
        assert!(!state.settings_differ_from_shown(), "{example}");
        assert!(state.what_if().is_none(), "{example}");
        check(&state, &["All layers"], &[">not as trained<", "what-if"]);
    }
}

#[test]
fn every_rule_can_be_drawn_on_another_model() {
    let state = run_of("top_k:2", 8);
    for rule in rule_form::all().filter(|rule| rules::of(rule).name != "top_k") {
        let state = set(&state, Setting::Rule(rule));
        assert!(state.settings_differ_from_shown(), "{rule:?}");
        let badges: &[&str] = if state.what_if().is_some() { &[">what-if<", ">not as trained<"] } else { &[] };
        check(&state, badges, if badges.is_empty() { &[">what-if<"] } else { &[] });
    }
}

/// What was not recorded is said, and no bar of length zero is drawn in its place.
#[test]
fn a_run_without_gate_logits_says_so() {
    let mut file = fixture::trace_of_rule(RoutingSpec::default(), 8, 2);
    for layer in file.steps.iter_mut().flat_map(|step| &mut step.layers) {
        layer.gate_logits = None;
    }
    let state = shown(file);
    let scene = state.scene().expect("a scene");
    assert!(scene.layers.iter().all(|layer| layer.gate_values.is_empty() && layer.values_of(0).is_empty()));
    let no_bar = r#"<span aria-hidden="true" class="bar"></span>"#;
    let empty_bar = r#"class="bar"><svg"#;
    check(&state, &[GateReading::NOT_RECORDED, "All layers", no_bar], &[empty_bar, "<td>0.00</td>"]);
}
