//! WebGPU tried beside the CPU, as lists of actions.

use moe_trace::{BackendChoice, BackendInfo, Event, FinishReason, ModelInfo, Rung, Source, UserError};

use web::settings::Setting;
use web::settings::activate::Activate;
use web::settings::attributes::Config;
use web::settings::view::{PanelName, View};
use web::state::{Action, Effect};

use super::play::{Play, recorded};
use crate::fixture;

/// A page whose first run, on the CPU, has ended, or goes on.
fn live(config: Config, has_ended: bool) -> Play {
    let mut play = Play::with(config);
    play.replay(&recorded()).ready();
    let request = play.posted().expect("a run begins by itself");
    play.execute(&request, 2);
    if has_ended {
        play.hear(Event::Finished { run: request.run, reason: FinishReason::Length });
    }
    play
}

fn offered(play: &mut Play) {
    play.hear(Event::Offered { rung: Rung::Webgpu });
}

fn passed() -> Action {
    let why = "it computes what the CPU does, and makes 90 steps a second, and the CPU 120".to_owned();
    let backend = BackendInfo { rung: Rung::Webgpu, name: "a card".to_owned(), why };
    Action::NextEngine(Event::Ready { model: fixture::model(), backend })
}

fn why(play: &Play) -> String {
    play.state.backend().expect("a backend").why.clone()
}

fn source(play: &Play) -> Source {
    play.state.engine().loaded().expect("it is ready").source()
}

#[test]
fn the_gpu_is_tried_when_the_run_is_over_and_takes_the_engines_place() {
    let mut play = live(Config::default(), false);
    offered(&mut play);
    assert_eq!(play.effects, [], "the run goes on");
    let run = play.state.latest().expect("a run").request.run;
    play.hear(Event::Finished { run, reason: FinishReason::Length });
    assert_eq!(play.effects.last(), Some(&Effect::StartTrial));
    assert_eq!(source(&play), Source::LiveCpu);

    play.act(passed());
    assert_eq!(play.effects[0], Effect::TakeOver);
    assert!(matches!(play.effects[1], Effect::EmitReady { source: Source::LiveGpu, .. }));
    assert_eq!(play.posted(), None, "nobody asked for a run");
    assert_eq!((source(&play), why(&play).contains("and the CPU 120")), (Source::LiveGpu, true));
    assert!(play.state.latest().is_some_and(|shown| shown.source == Source::LiveCpu), "what was computed stays");
    play.act(Action::Run { prompt: None });
    assert!(play.posted().is_some());
}

#[test]
fn between_runs_only() {
    let mut play = live(Config::default(), true);
    offered(&mut play);
    assert_eq!(play.effects, [Effect::StartTrial]);
    play.act(Action::Run { prompt: None });
    let request = play.posted().expect("the CPU runs meanwhile");
    play.act(passed());
    assert_eq!((play.effects.as_slice(), source(&play)), (&[][..], Source::LiveCpu));
    play.execute(&request, 2).hear(Event::Finished { run: request.run, reason: FinishReason::Length });
    assert!(play.effects.contains(&Effect::TakeOver));
    assert_eq!(source(&play), Source::LiveGpu);
}

#[test]
fn a_gpu_that_does_not_do_leaves_the_cpu_and_says_why() {
    let error = UserError::new("The engine could not be loaded.", "There is no moe_worker_gpu.js.", "");
    let slow = "WebGPU (slow) makes 3 steps a second, and the CPU 120";
    let failed = "WebGPU was tried and failed (There is no moe_worker_gpu.js)";
    for (action, expected) in [
        (Action::NextEngine(Event::Declined { why: slow.to_owned() }), slow),
        (Action::NextEngine(Event::Unstartable(error.clone())), failed),
        (Action::NextEngine(Event::Failed { run: None, error: error.clone(), fatal: true }), failed),
        (Action::NextEngineLost(error), failed),
    ] {
        let mut play = live(Config::default(), true);
        offered(&mut play);
        play.act(fixture_progress()).act(action);
        assert_eq!((play.effects.as_slice(), why(&play).as_str()), (&[Effect::EndNext][..], expected));
        assert_eq!((source(&play), play.state.notice()), (Source::LiveCpu, None), "nobody is troubled");
        play.act(Action::Run { prompt: None });
        let request = play.posted().expect("a run");
        play.execute(&request, 2).hear(Event::Finished { run: request.run, reason: FinishReason::Length });
        assert!(!play.effects.contains(&Effect::StartTrial), "it was tried");
    }
}

fn fixture_progress() -> Action {
    Action::NextEngine(fixture::progress(1, 9))
}

#[test]
fn its_download_is_not_waited_for() {
    let mut play = live(Config::default(), true);
    offered(&mut play);
    play.act(fixture_progress());
    assert_eq!((play.state.waiting(), play.effects.as_slice()), (None, &[][..]));
}

#[test]
fn a_browser_without_an_adapter_says_so() {
    let mut play = live(Config::default(), true);
    play.hear(Event::Declined { why: "WebGPU found no graphics adapter".to_owned() });
    assert_eq!((play.effects.as_slice(), why(&play).as_str()), (&[][..], "WebGPU found no graphics adapter"));
}

#[test]
fn a_figure_tries_it_once_it_is_used() {
    let view = View::Panels(vec![PanelName::Lanes]);
    let mut play = live(Config { view, activate: Some(Activate::Auto), ..Config::default() }, true);
    offered(&mut play);
    play.act(Action::SelectLayer(1));
    assert_eq!(play.effects, [], "who looks around needs no other engine");
    play.act(Action::Run { prompt: None });
    let request = play.posted().expect("a run");
    play.execute(&request, 2).hear(Event::Finished { run: request.run, reason: FinishReason::Length });
    assert!(play.effects.contains(&Effect::StartTrial));
}

#[test]
fn who_asked_for_the_cpu_keeps_it() {
    let mut play = live(Config { backend: BackendChoice::Cpu, ..Config::default() }, true);
    offered(&mut play);
    assert_eq!(play.effects, []);
}

#[test]
fn another_model_makes_the_trial_wait() {
    let mut play = live(Config::default(), true);
    offered(&mut play);
    let config = Config { manifest_url: "https://host/other/manifest.json".to_owned(), ..Config::default() };
    play.configure(&config);
    assert!(play.effects.contains(&Effect::StartNext));
    let backend = BackendInfo { rung: Rung::Cpu, name: "test".to_owned(), why: "first".to_owned() };
    let model = ModelInfo { name: "other".to_owned(), ..fixture::model() };
    play.act(Action::NextEngine(Event::Ready { model, backend }));
    let request = play.posted().expect("it runs at once");
    assert!(play.state.model().is_some_and(|model| model.name == "other"));
    offered(&mut play);
    play.execute(&request, 2).hear(Event::Finished { run: request.run, reason: FinishReason::Length });
    assert!(play.effects.contains(&Effect::StartTrial), "of the model that runs now");
}

#[test]
fn an_engine_that_dies_meanwhile_takes_the_trial_along() {
    let mut play = live(Config::default(), true);
    offered(&mut play);
    play.act(Action::EngineLost(UserError::new("It stopped.", "silence", "")));
    assert_eq!(play.effects[..2], [Effect::EndNext, Effect::StartEngine]);
    play.act(passed());
    assert!(!play.effects.contains(&Effect::TakeOver), "that worker is no more");
}

#[test]
fn moving_a_setting_meanwhile_is_a_run_of_the_cpu() {
    let mut play = live(Config::default(), true);
    offered(&mut play);
    play.set(Setting::CapacityFactor(0.5)).act(Action::Rerun);
    assert!(play.posted().is_some() && source(&play) == Source::LiveCpu);
}
