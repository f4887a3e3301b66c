//! An engine that is held: what starts it, and what the figure is without it.

use moe_trace::{BackendChoice, Source};
use web::settings::Setting;
use web::settings::activate::Activate;
use web::settings::attributes::Config;
use web::settings::overrides::Overrides;
use web::state::{Action, Effect, Engine};

use super::play::{Play, recorded};

/// A figure that waits, with its recorded run on the screen.
fn held(activate: Activate) -> Play {
    let mut play = Play::with(Config { activate: Some(activate), ..Config::default() });
    assert!(!play.effects.contains(&Effect::StartEngine), "nothing is loaded by itself");
    play.replay(&recorded());
    play
}

fn is_started(play: &Play) -> bool {
    let starts = play.effects.contains(&Effect::StartEngine);
    assert_eq!(starts, *play.state.engine() == Engine::Starting, "it is started as it says");
    starts
}

#[test]
fn what_starts_an_engine_that_waits() {
    let capacity = || Action::Set(Setting::CapacityFactor(0.5));
    let check = |what: &str, actions: &[Action], by_interaction: bool, by_hand: bool| {
        for (activate, expected) in [(Activate::Interaction, by_interaction), (Activate::Manual, by_hand)] {
            let mut play = held(activate);
            for action in actions {
                play.act(action.clone());
            }
            assert_eq!(is_started(&play), expected, "{what}: {activate:?}");
        }
    };
    check("Run", &[Action::Run { prompt: None }], true, true);
    check("run() with a prompt", &[Action::Run { prompt: Some("Hello".to_owned()) }], true, true);
    check("a setting of the routing", &[capacity()], true, false);
    check("a slider on its way", &[Action::Slide(0.5)], false, false);
    check("a slider that is let go", &[Action::Slide(0.5), Action::LetGo], true, false);
    check("a press on it that moves nothing", &[Action::LetGo], false, false);
    check("what runs nothing anew", &[Action::Set(Setting::Seed(3))], false, false);
    check("a look around", &[Action::StepBy(1), Action::SelectLayer(0)], false, false);
    check("a prompt that cannot be run", &[Action::Run { prompt: Some(String::new()) }], false, false);
}

#[test]
fn attributes_start_it_where_they_answer_a_reader() {
    let with = |activate| Config {
        activate: Some(activate),
        overrides: Overrides::from_iter([Setting::CapacityFactor(0.5)]),
        ..Config::default()
    };
    let check = |before: Activate, after: Activate, expected: bool| {
        let mut play = held(before);
        play.configure(&with(after));
        assert_eq!(is_started(&play), expected, "{before:?} {after:?}");
    };
    check(Activate::Interaction, Activate::Interaction, true);
    check(Activate::Manual, Activate::Manual, false);
    check(Activate::Manual, Activate::Auto, true);
}

#[test]
fn without_the_attribute_a_figure_waits_where_the_recorded_run_is_all_it_was_asked_for() {
    let check = |attributes: &[(&str, &str)], expected: Activate| {
        let text_of = |name: &str| attributes.iter().find(|(of, _)| *of == name).map(|(_, text)| (*text).to_owned());
        let (config, errors) = Config::read(text_of);
        assert!(errors.is_empty(), "{attributes:?}");
        assert_eq!(config.activate(), expected, "{attributes:?}");
    };
    check(&[], Activate::Auto);
    check(&[("view", "full")], Activate::Auto);
    check(&[("view", "strip lanes")], Activate::Interaction);
    check(&[("view", "lanes"), ("theme", "dark"), ("layer", "2"), ("controls", "run")], Activate::Interaction);
    check(&[("view", "lanes"), ("prompt", "Hello")], Activate::Auto);
    check(&[("view", "lanes"), ("capacity-factor", "0.5")], Activate::Auto);
    check(&[("view", "lanes"), ("model", "hash")], Activate::Auto);
    check(&[("view", "lanes"), ("lesson", "capacity")], Activate::Auto);
    // What compares runs has little to show before it can run some.
    check(&[("view", "lanes experts")], Activate::Auto);
    check(&[("view", "lanes experts"), ("activate", "manual")], Activate::Manual);
    check(&[("view", "lanes"), ("prompt", "Hello"), ("activate", "interaction")], Activate::Interaction);
}

#[test]
fn a_figure_that_waits_stands_on_its_recorded_run() {
    let play = held(Activate::Manual);
    let ready = play.effects.iter().find_map(|effect| match effect {
        Effect::EmitReady { source, .. } => Some(*source),
        _ => None,
    });
    assert_eq!(ready, Some(Source::Recorded), "the host is told what it stands on");
    assert!(play.state.engine().can_run(), "Run can be pressed");
    assert!(!play.state.engine().owes_answer(), "nothing is waited for");
}

#[test]
fn the_run_that_was_asked_for_comes_with_the_engine() {
    let mut play = held(Activate::Interaction);
    play.act(Action::Set(Setting::CapacityFactor(0.5)));
    assert!(is_started(&play));
    play.ready();
    let request = play.posted().expect("the run that the reader waits for");
    assert_eq!(request.routing.overflow, play.state.routing().overflow);
    assert!(play.effects.iter().any(|effect| matches!(effect, Effect::EmitReady { source: Source::LiveCpu, .. })));
}

#[test]
fn another_backend_does_not_start_it_and_does_not_end_one_that_runs() {
    let cpu = |activate| Config { activate: Some(activate), backend: BackendChoice::Cpu, ..Config::default() };
    let mut play = held(Activate::Manual);
    play.configure(&cpu(Activate::Manual));
    assert_eq!(play.state.engine(), &Engine::Held);
    play.act(Action::Run { prompt: None }).ready();
    let f32 = Config { backend: BackendChoice::CpuF32, ..cpu(Activate::Manual) };
    play.configure(&f32);
    assert!(is_started(&play), "it was needed before");
}
