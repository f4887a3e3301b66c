//! Adapters of the training lab, drawn from what a worker tells.

use moe_trace::adapting::{AdaptLook, AdaptStart, AdaptStep, BeforeAndAfter, ModelFiles};
use moe_trace::{BackendChoice, Bytes, CapacitySpec, MixerSpec, Overflow, RoutingSpec, RunId, TrainEvent};
use web::run::shared::Shared;
use web::settings::attributes::Config;
use web::settings::depth::Depth;
use web::settings::view::{PanelName, View};
use web::state::lab::{AdapterWish, Wish};
use web::state::{Action, State, replay};
use web::views::page::{Page, PageProps};
use yew::Callback;

use super::html;
use crate::fixture;

fn events(rule: MixerSpec, state: &State) -> Vec<TrainEvent> {
    let run = state.lab().adapters.coming.as_ref().expect("they are asked for").run();
    let recipe = moe_trace::adapting::AdapterRecipe { rule, num_adapters: 2, ..state.lab().adapters.recipe };
    let (num_trained, num_frozen) = (18_000, 3_478_656);
    let start = AdaptStart { run, recipe, model: "default".to_owned(), num_trained, num_frozen, next_step: 0 };
    let nats = BeforeAndAfter { before: 3.25, after: 2.5 };
    let look = AdaptLook {
        run,
        num_steps: 1,
        held_out: vec![nats, nats],
        probe_tokens: vec![b"fl".to_vec(), b"immow".to_vec()],
        probe_shares: vec![vec![0.2, 0.8, 0.9, 0.1]],
        saved: Bytes::from(vec![1]),
    };
    let step = AdaptStep {
        run,
        step: 0,
        next_token: 3.0,
        balance: (rule == MixerSpec::Loramoe).then_some(0.125),
        gradient_norm: 1.0,
        tokens_per_second: 512.0,
        shares: vec![vec![0.25, 0.75]],
    };
    vec![TrainEvent::Adapting(start), TrainEvent::Adapted(look), TrainEvent::AdaptStep(step)]
}

/// The panel as HTML once adapters of this rule have learned a step.
fn drawn(rule: MixerSpec) -> String {
    let html = html::<Page>(move || {
        let router = moe_router::rules::parse_router("top_k:2").expect("a rule");
        let overflow = Overflow::Drop(CapacitySpec::default());
        let file = fixture::trace_of_rule(RoutingSpec { router, overflow }, 4, 1);
        let view = View::Panels(vec![PanelName::Training]);
        let config = Config { backend: BackendChoice::Recorded, view, depth: Depth::Lab, ..Config::default() };
        let began = replay::began(file.header).expect("a run of ours");
        let steps = file.steps.into_iter().map(replay::step);
        let wish = |wish| Action::Lab(Wish::Adapt(wish));
        let asked = [Action::Lab(Wish::OwnText("flimmow".to_owned())), wish(AdapterWish::Rule(rule))];
        let actions = [began].into_iter().chain(steps).chain([replay::finished()]).chain(asked);
        let apply = |state: State, action| state.apply(action).0;
        let mut state = actions.chain([wish(AdapterWish::Start)]).fold(State::new(config, Vec::new()).0, apply);
        let none = || Bytes::from(Vec::new());
        let files = ModelFiles { manifest: none(), weights: none(), tokenizer: none() };
        let told = events(rule, &state).into_iter().map(|event| Action::Trained(Box::new(event)));
        let came = Action::ModelCame { run: RunId(1), files: Ok(files) };
        state = [came].into_iter().chain(told).fold(state, apply);
        PageProps { state: Shared::new(state), dispatch: Callback::noop() }
    });
    assert!(!html.contains("NaN") && !html.contains(" style="), "{rule:?}");
    html
}

#[test]
fn what_adapters_come_to_is_drawn() {
    for rule in [MixerSpec::Molora { k: None }, MixerSpec::Mov, MixerSpec::Loramoe] {
        let html = drawn(rule);
        let says = |words: &str| assert!(html.contains(words), "{rule:?}: nothing says {words:?}");
        says("18000");
        says("(0.52 %)");
        says("3.250 → 2.500 (-0.750)");
        says("Keep adapters after 1 step");
        says("immow");
        says("75 %");
        assert_eq!(html.contains("localised balance loss"), rule == MixerSpec::Loramoe);
        assert_eq!(html.contains(">Rank<"), rule != MixerSpec::Mov);
        assert_eq!(html.contains("Text to remember"), rule == MixerSpec::Loramoe);
    }
}
