//! The lab's panels, drawn with and without what they compare.

use moe_trace::{
    BackendChoice, BackendInfo, Command, Event, FinishReason, GateHistory, RecordedHistory, RoutingGroup, RoutingSpec,
    RunId, RunRequest, Rung, StepTrace,
};
use web::run::shared::Shared;
use web::settings::attributes::Config;
use web::state::background::Purpose;
use web::state::{Action, Effect, State, replay};
use web::views::page::{Page, PageProps};
use yew::Callback;

use super::html;
use crate::fixture;

/// A page of these panels with an engine, after its first run and these actions, each followed by the runs it asks for.
fn drawn(view: &'static str, factor: &'static str, actions: fn() -> Vec<Action>) -> String {
    html::<Page>(move || {
        let (config, errors) = Config::read(|name| match name {
            "view" => Some(view.to_owned()),
            "capacity-factor" => Some(factor.to_owned()),
            _ => None,
        });
        assert_eq!(errors, []);
        let (state, _) = State::new(Config { backend: BackendChoice::Auto, ..config }, Vec::new());
        let file = fixture::default_trace(RoutingSpec::default(), RoutingGroup::ThisText);
        let backend = BackendInfo { rung: Rung::Cpu, name: "test".to_owned(), why: String::new() };
        let ready = Event::Ready { model: fixture::model(), backend };
        let recorded = [replay::began(file.header).expect("a run of ours"), Action::Engine(ready)];
        let state = recorded.into_iter().chain(actions()).fold(state, acted);
        PageProps { state: Shared::new(state), dispatch: Callback::noop() }
    })
}

/// The state after an action and after every run that it leads to.
fn acted(state: State, action: Action) -> State {
    let (mut state, mut effects) = state.apply(action);
    while let Some(request) = posted(&effects) {
        let run = request.run;
        for trace in answered(&request) {
            (state, _) = state.apply(Action::Engine(Event::Step { trace: trace.into(), elapsed_ms: 25.0 }));
        }
        let finished = Event::Finished { run, reason: FinishReason::Length };
        (state, effects) = state.apply(Action::Engine(finished));
    }
    let asked = effects.iter().find_map(|effect| match effect {
        Effect::Post(Command::RouteThen { run, .. }) => Some(*run),
        _ => None,
    });
    if let Some(run) = asked {
        let history = gate_history(&state, run);
        (state, _) = state.apply(Action::Engine(Event::RoutedThen(history)));
    }
    state
}

/// Untrained gates ask experts 0 and 1 for every token, today's 2 and 1; what was recorded is a quarter and all.
fn gate_history(state: &State, run: RunId) -> GateHistory {
    let ids: Vec<u32> = state.scene().expect("a run").tokens.iter().filter_map(|token| token.id).collect();
    let rows = ids.len() * fixture::NUM_LAYERS;
    let saturation = [[0.25; fixture::NUM_LAYERS], [1.0; fixture::NUM_LAYERS]].concat();
    GateHistory {
        run,
        steps: vec![0, 4800],
        num_layers: fixture::NUM_LAYERS as u32,
        k: 2,
        choices: [[0, 1].repeat(rows), [2, 1].repeat(rows)].concat().into(),
        recorded: RecordedHistory { num_tokens: 768, saturation },
        ids,
    }
}

fn posted(effects: &[Effect]) -> Option<RunRequest> {
    effects.iter().find_map(|effect| match effect {
        Effect::Post(Command::Run(request)) => Some(request.clone()),
        _ => None,
    })
}

/// Comparisons read their text in one step, but for texts in step; and the reader's runs write one token more.
fn answered(request: &RunRequest) -> Vec<StepTrace> {
    if request.group == RoutingGroup::Batch {
        return fixture::in_step(request);
    }
    let mut tokens = fixture::words(&request.prompt);
    let prompt_len = tokens.len();
    if request.max_new_tokens > 0 {
        tokens.push(b" and".to_vec());
    }
    fixture::trace(1, &tokens, prompt_len, request.clone()).steps
}

fn compare(purpose: Purpose) -> Vec<Action> {
    vec![Action::Compare(purpose)]
}

/// How often a text stands in another.
fn count(html: &str, text: &str) -> usize {
    html.matches(text).count()
}

#[test]
fn the_policy_lab_says_what_it_is_before_and_what_came_of_it_after() {
    let before = drawn("policies", "0.5", Vec::new);
    assert!(
        before.contains("6 ways to fill experts that are full, on the same 25 tokens: not compared yet"),
        "{before}"
    );
    assert!(before.contains("Compare 6 policies") && !before.contains("lab-strip"));

    let after = drawn("policies", "0.5", || compare(Purpose::Policies));
    assert!(after.contains("36 runs of 25 tokens, 0.9 s"), "{after}");
    assert!(!after.contains("Compare 6 policies"), "everything is there");
    assert_eq!(count(&after, "class=\"lab-strip"), 7, "the frame and six strips");
    assert_eq!(count(&after, "class=\"spark\""), 12, "two curves for each policy");
    assert_eq!(count(&after, "<small>the run's policy</small>"), 1);
    assert!(after.contains("live CPU"), "what was computed is live, whatever is on the screen");
    assert!(!after.contains(" style="));
}

#[test]
fn what_a_drop_costs_is_said_with_its_numbers() {
    let before = drawn("drops", "0.5", Vec::new);
    assert!(before.contains("Compute what was lost") && before.contains("is not computed yet"));
    let after = drawn("drops", "0.5", || compare(Purpose::Drops));
    // The fixture's losses know nothing of routing, so the losses cost nothing.
    assert!(after.contains("requests turned away cost nothing on 24 tokens"), "{after}");
    assert!(after.contains("2 runs of 25 tokens, 0.05 s"), "{after}");
}

#[test]
fn a_batch_says_who_lost_to_whom_and_what_is_otherwise_alone() {
    fn texts() -> Action {
        Action::SetTextsInStep(["The cat sat on", "The cat", "The cat sat"].map(str::to_owned).to_vec().into())
    }
    let before = drawn("batch", "0.5", || vec![texts()]);
    assert!(before.contains("3 texts to be decoded in step, with slots that they share: not run yet"), "{before}");
    assert!(before.contains("Run 3 texts in step") && !before.contains("batch-grid"));
    assert_eq!(count(&before, "<textarea"), 3);

    let after = drawn("batch", "0.5", || [vec![texts()], compare(Purpose::InStep)].concat());
    // All ask the same experts, of which each has one slot.
    assert!(after.contains("At step 0, text 2 lost its request to expert "), "{after}");
    assert!(after.contains(" to text 1: capacity 1, 3 asked"), "{after}");
    assert!(after.contains("4 runs, ") && !after.contains("Run 3 texts in step"), "{after}");
    assert!(after.contains("serves text 1, turns texts 2 and 3 away"), "{after}");
    assert!(after.contains("Text 1 is as alone: the same experts serve the same 5 tokens."), "{after}");
    assert!(after.contains("Text 3 beside its run alone: of 4 tokens that are the same, "), "{after}");
    assert!(after.contains("live CPU") && !after.contains(" style="));
}

#[test]
fn a_list_of_one_run_says_how_to_get_a_second() {
    let one = drawn("runs positions", "0.5", Vec::new);
    assert!(one.contains("One run so far"), "{one}");
    let two = drawn("runs positions", "0.5", || {
        vec![Action::Set(web::settings::Setting::CapacityFactor(2.0)), Action::Run { prompt: None }]
    });
    assert!(two.contains("capacity factor 0.5 → 2"), "{two}");
    assert!(two.contains("On the 25 tokens both share: no route of 100 changed; 0 turned away instead of"), "{two}");
    assert!(two.contains("Nobody was turned away anywhere, in 1 run with this routing"), "{two}");
}

#[test]
fn an_experts_page_says_when_it_has_read_too_little_and_what_muting_costs() {
    let before = drawn("experts", "1.25", Vec::new);
    assert!(before.contains("too little text to call anything a speciality"), "{before}");
    assert!(before.contains("Run longer texts") && before.contains("it takes 256"));
    assert_eq!(count(&before, "class=\"expert-glyph"), 8);
    let after = drawn("experts", "1.25", || [compare(Purpose::MoreText), compare(Purpose::Muting)].concat());
    assert!(after.contains("7 runs of") || after.contains("7 runs,"), "{after}");
    // The fixture's losses know nothing of experts.
    assert!(after.contains("the loss changes by 0.000 nats per token; without another one by 0.000 on average, and 0 of 7 others cost less"), "{after}");
    assert!(!after.contains("Run longer texts") && !after.contains(" style="));
}

#[test]
fn findings_stand_beside_what_was_recorded() {
    let before = drawn("findings", "1.25", Vec::new);
    assert!(before.contains("6 findings to try on this text"), "{before}");
    assert_eq!(count(&before, ">not tried<"), 6);
    assert!(before.contains("+40.9 ± 0.6 points from the first to the last quarter"));
    let after = drawn("findings", "1.25", || [compare(Purpose::MoreText), compare(Purpose::Findings)].concat());
    // The fixture's longer texts have two tokens more, and no end to speak of.
    assert!(after.contains("No text is long enough to have an end"), "{after}");
}

#[test]
fn the_gates_of_a_moment_stand_beside_todays() {
    let drawn = |view, actions: fn() -> Vec<Action>| drawn(view, "1.25", actions).replace('\u{202f}', " ");
    let before = drawn("moments", Vec::new);
    assert!(before.contains("How would the gates of earlier moments of the training route this text?"), "{before}");
    assert!(before.contains("Ask the gates of earlier moments</button>") && !before.contains("moments-same"));
    let after = drawn("moments", || vec![Action::RouteThen]);
    // One of two experts is the same.
    assert!(after.contains("The gates before training send 50 %"), "{after}");
    assert!(after.contains("the model of that moment sent 25 % of held-out ones there, and by chance it is 25 %"));
    assert!(after.contains("aria-valuetext=\"before training\"") && after.contains("2 moments of the gates"));
    assert!(!after.contains("Ask the gates of earlier moments</button>") && !after.contains(" style="));
    let end = drawn("moments", || vec![Action::RouteThen, Action::SetMoment(1)]);
    assert!(end.contains("The gates at the end, after step 4800 send 100 %"), "{end}");
    // The finding of early routing is tried with it, and by its own threshold: nearest to 40 % is the beginning.
    let findings = drawn("findings", || vec![Action::RouteThen]);
    assert!(findings.contains("those after step 0 of 4800 50 %"), "{findings}");
}
