//! The recorded run, as lists of actions.

use moe_trace::{
    BackendChoice, Event, ExpertCount, FinishReason, Origin, Policy, RouteSchema, RoutingGroup, RoutingSpec, RunId,
    RunRequest, Source, TraceHeader,
};
use web::run::scene::TokenFate;
use web::settings::Setting;
use web::settings::attributes::Config;
use web::state::{Action, Effect, replay};

use super::play::{Play, recorded};
use crate::fixture;

#[test]
fn the_recorded_run_shows_its_only_drop() {
    let mut play = Play::new(BackendChoice::Recorded);
    play.replay(&recorded());
    let scene = play.scene();
    assert_eq!(scene.step, 0);
    assert_eq!(scene.totals().lost, 1);
    let selection = play.state.selection();
    assert!(scene.layers[selection.layer].fate(selection.token) >= TokenFate::LostSome);
    assert_eq!(play.state.settings().prompt, fixture::PROMPT);
    assert!(matches!(play.effects[..], [Effect::EmitReady { source: Source::Recorded, .. }]));
}

#[test]
fn a_run_that_was_imported_says_so() {
    let mut file = recorded();
    file.header.origin.source = Source::Imported;
    let mut play = Play::new(BackendChoice::Recorded);
    play.replay(&file);
    assert_eq!(play.scene().source(), Source::Imported);
    assert!(matches!(play.effects[..], [Effect::EmitReady { source: Source::Imported, .. }]));
}

/// What another program recorded has no model of ours: its header stays as it is, and nothing is made up of its sizes.
#[test]
fn a_run_of_another_program_is_shown_by_what_its_header_says() {
    let file = recorded();
    let origin = Origin {
        source: Source::Imported,
        producer: "transformers".to_owned(),
        version: None,
        format: Some("hf-router-logits".to_owned()),
        model_name: Some("tiny-mixtral".to_owned()),
    };
    let routes = RouteSchema { moe_layer_ids: None, num_layers: None, ..file.header.routes.clone() };
    let header = TraceHeader { model: None, origin, routes, ..file.header.clone() };
    let mut reader = replay::reader(header.clone()).expect("its rule is known");
    let steps: Vec<_> =
        file.steps.iter().map(|step| replay::read(&mut reader, step.clone().into()).expect("a step")).collect();

    let mut play = Play::new(BackendChoice::Recorded);
    play.act(replay::began_with(header.clone(), &steps[0]).expect("a run"));
    for step in steps {
        play.act(replay::step(step));
    }
    play.act(replay::finished());
    let run = play.state.latest().expect("a run").clone();
    assert_eq!((run.source, run.model.name.as_str()), (Source::Imported, "tiny-mixtral"));
    assert_eq!(
        (run.model.num_layers as usize, run.model.num_experts as usize),
        (fixture::NUM_LAYERS, fixture::NUM_EXPERTS)
    );
    assert_eq!(run.header(), header);
    assert_eq!(play.scene().totals().lost, 1);

    let refused = |header: TraceHeader| replay::reader(header).map(|_| ()).expect_err("nobody could draw it");
    let without = TraceHeader { request: None, ..header.clone() };
    assert_eq!(
        refused(without),
        "it was written down by transformers without its routing rule, so nobody can say what it means"
    );
    let routes = RouteSchema { num_experts: ExpertCount::AtLeast(8), ..header.routes.clone() };
    assert_eq!(refused(TraceHeader { routes, ..header }), "it does not say how many experts a layer has");
}

#[test]
fn it_turns_live_without_a_jump() {
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded());
    let (selection, step) = (play.state.selection(), play.state.scene().map(|scene| scene.step));
    play.ready();
    let request = play.posted().expect("a run begins by itself");
    assert_eq!(request, RunRequest { run: RunId(1), ..fixture::request_of(&recorded()) });
    assert!(play.effects.iter().any(|effect| matches!(effect, Effect::EmitReady { source: Source::LiveCpu, .. })));
    assert_eq!(play.num_steps(), recorded().steps.len(), "the recorded run stays until the first live step");
    play.execute(&request, 3);
    assert_eq!(play.state.latest().map(|shown| shown.source), Some(Source::LiveCpu));
    assert_eq!(play.num_steps(), 3);
    assert_eq!(play.state.selection(), selection);
    assert_eq!(play.state.scene().map(|scene| scene.step), step);
    assert_eq!(play.state.against(), None, "the same request is not before and after");
}

#[test]
fn a_live_run_waits_for_the_recorded_settings() {
    let mut play = Play::new(BackendChoice::Auto);
    play.ready();
    assert_eq!(play.posted(), None);
    play.act(replay::began(recorded().header).expect("a run of ours"));
    assert_eq!(play.posted().map(|request| request.prompt), Some(fixture::PROMPT.to_owned()));

    let mut play = Play::new(BackendChoice::Auto);
    play.ready().act(Action::ReplayFailed { why: "it is not there".to_owned() });
    assert!(play.posted().is_some());
}

#[test]
fn a_recorded_run_that_does_not_come_is_not_waited_for() {
    let mut play = Play::new(BackendChoice::Auto);
    play.ready();
    assert!(play.effects.contains(&Effect::AwaitReplay) && play.posted().is_none());
    play.act(Action::ReplayIsLate);
    let request = play.posted().expect("a run of its own");
    play.execute(&request, 1).replay(&recorded());
    assert_eq!(play.state.latest().map(|shown| shown.run()), Some(request.run), "it comes too late");
    assert_eq!(play.state.settings().prompt, request.prompt);

    // Nobody has asked for a run of nothing.
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded()).set(Setting::Prompt(String::new())).ready();
    assert_eq!((play.posted(), play.state.notice()), (None, None));
}

#[test]
fn another_recorded_run_takes_the_place_of_the_one_before() {
    let tight = fixture::default_trace(RoutingSpec::with_policy(2, Policy::Drop, 0.75), RoutingGroup::ThisText);
    let other = Config { trace_url: Some("other.jsonl".to_owned()), ..Config::default() };
    let configured =
        |backend| Action::Configured { config: Box::new(Config { backend, ..other.clone() }), errors: vec![] };

    let mut play = Play::new(BackendChoice::Recorded);
    play.replay(&recorded()).act(configured(BackendChoice::Recorded));
    assert_eq!(play.effects, [Effect::FetchReplay]);
    assert_eq!(play.num_steps(), recorded().steps.len(), "the one before stays until then");
    play.replay(&tight);
    assert_eq!(play.state.latest().map(|shown| shown.request.routing), Some(fixture::request_of(&tight).routing));
    assert_eq!((play.num_steps(), play.state.settings().capacity_factor), (tight.steps.len(), 0.75));
    assert!(play.effects.iter().any(|effect| matches!(effect, Effect::EmitReady { source: Source::Recorded, .. })));

    // An engine repeats it, unless somebody has settled on something else.
    for is_settled in [false, true] {
        let mut play = Play::new(BackendChoice::Auto);
        play.replay(&recorded()).ready();
        let first = play.posted().expect("a run");
        play.execute(&first, 2).hear(Event::Finished { run: first.run, reason: FinishReason::Length });
        if is_settled {
            play.act(Action::Run { prompt: None });
            let second = play.posted().expect("a run");
            play.execute(&second, 2).hear(Event::Finished { run: second.run, reason: FinishReason::Length });
        }
        play.act(configured(BackendChoice::Auto)).act(replay::began(tight.header.clone()).expect("a run of ours"));
        let repeated = play.posted().map(|request| request.routing);
        assert_eq!(repeated, (!is_settled).then_some(fixture::request_of(&tight).routing));
        assert!(play.state.latest().is_some_and(|shown| shown.is_live()), "the live run stays");
    }
}
