//! Changes inside the model: each is in the request of a run that begins at once, and can be taken back.

use moe_trace::{
    BackendChoice, BackendInfo, Event, ExpertIdx, FinishReason, Intervention, LayerIdx, RunRequest, Rung, TraceFile,
    UserError,
};
use web::run::difference;
use web::settings::Setting;
use web::settings::attributes::Config;
use web::settings::interventions::Interventions;
use web::settings::overrides::Overrides;
use web::state::surgery::Operation;
use web::state::{Action, Effect};

use super::play::{Play, recorded};
use crate::fixture;

const MUTE: Intervention = Intervention::Mute { layer: LayerIdx(2), expert: ExpertIdx(3) };
const FORCE: Intervention = Intervention::Force { layer: LayerIdx(0), position: 5, expert: ExpertIdx(7) };

fn changes(text: &str) -> Interventions {
    Interventions::parse(text).expect(text)
}

/// A page whose engine has run the recorded run's request, live.
fn page() -> Play {
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded()).ready();
    let first = play.posted().expect("a run");
    finish(&mut play, &first);
    play
}

fn finish(play: &mut Play, request: &RunRequest) {
    play.execute(request, 1).hear(Event::Finished { run: request.run, reason: FinishReason::Length });
}

/// Does this, lets the controls rest, and gives the request of the run that begins.
fn operate(play: &mut Play, operation: Operation) -> RunRequest {
    play.act(Action::Operate(operation));
    assert_eq!(play.effects, [Effect::ScheduleRerun]);
    play.act(Action::Rerun);
    play.posted().expect("a re-run")
}

/// What was changed between the two runs that are kept.
fn difference(play: &Play) -> Vec<String> {
    let (before, now) = (play.state.against().expect("a run before"), play.state.on_screen().expect("a run"));
    difference::differences(before, now)
}

#[test]
fn a_change_runs_the_model_again_and_undo_takes_it_back() {
    let mut play = page();
    let muted = operate(&mut play, Operation::Toggle(MUTE));
    assert_eq!(muted.interventions, [MUTE]);
    finish(&mut play, &muted);
    assert_eq!(difference(&play), ["expert 3 of layer 2 muted"]);
    assert!(play.state.change().is_some(), "its loss stands beside the one before");

    let both = operate(&mut play, Operation::Make(FORCE));
    assert_eq!(both.interventions, [MUTE, FORCE]);
    finish(&mut play, &both);
    assert_eq!(difference(&play), ["token 5 sent to expert 7 in layer 0"]);

    let undone = operate(&mut play, Operation::Undo);
    assert_eq!(undone.interventions, [MUTE]);
    finish(&mut play, &undone);
    assert_eq!(difference(&play), ["token 5 no longer sent to expert 7 in layer 0"]);

    let redone = operate(&mut play, Operation::Redo);
    assert_eq!(redone.interventions, [MUTE, FORCE]);
    finish(&mut play, &redone);
    let reset = operate(&mut play, Operation::Reset);
    assert_eq!(reset.interventions, []);
    finish(&mut play, &reset);
    let gone = ["expert 3 of layer 2 no longer muted", "token 5 no longer sent to expert 7 in layer 0"];
    assert_eq!(difference(&play), gone);
}

#[test]
fn what_a_change_would_do_is_not_made_up_before_it_runs() {
    let mut play = page();
    play.act(Action::Operate(Operation::Toggle(MUTE)));
    assert!(play.state.settings_differ_from_shown());
    assert_eq!(play.state.rerun_status(), "Re-run …");
    play.set(Setting::CapacityFactor(0.5));
    assert!(play.state.what_if().is_none(), "the layer's gate logits would be others");
    play.act(Action::Operate(Operation::Undo));
    assert!(play.state.what_if().is_some(), "only the slots are others");
}

#[test]
fn flip_goes_between_before_and_after_with_the_controls() {
    let mut play = page();
    let muted = operate(&mut play, Operation::Toggle(MUTE));
    finish(&mut play, &muted);
    let can_undo = |play: &Play| play.state.surgery().can_undo(&play.state.settings().interventions);
    assert!(can_undo(&play));
    play.act(Action::Flip);
    assert_eq!(play.state.settings().interventions, Interventions::default());
    assert!(!play.state.settings_differ_from_shown() && !can_undo(&play), "it is undone already");
    play.act(Action::Flip);
    assert_eq!(*play.state.settings().interventions, [MUTE]);
    assert!(!play.state.settings_differ_from_shown() && can_undo(&play));
}

#[test]
fn what_the_engine_refuses_is_told_and_costs_nothing() {
    let mut play = page();
    let shown = play.state.on_screen().cloned();
    let refused = operate(&mut play, Operation::Toggle(MUTE));
    let error = UserError::new("The model cannot be changed like that.", "It is dense.", "Take that change back.");
    play.hear(Event::Failed { run: Some(refused.run), error, fatal: false });
    let notice = play.state.notice().expect("a notice").problem.say();
    assert_eq!(notice.what, "The model cannot be changed like that.");
    assert_eq!((&*notice.why, &*notice.try_this), ("It is dense.", "Take that change back."));
    assert_eq!(play.state.on_screen().map(|run| run.run()), shown.map(|run| run.run()));
    assert_eq!(play.num_steps(), 1, "the run on the screen stays");
    assert_eq!(*play.state.settings().interventions, [MUTE], "and so does what was asked for");
    assert_eq!(play.state.rerun_status(), "This could not be run; the picture is of the run before.");
    play.act(Action::Operate(Operation::Undo));
    assert_eq!(play.state.rerun_status(), "");
}

#[test]
fn a_run_from_a_file_shows_what_was_changed_in_it() {
    let mut file = recorded();
    file.header.request = file.header.request.map(|request| RunRequest { interventions: vec![MUTE], ..request });
    let opened = |config: Config, file: &TraceFile| {
        let mut play = Play::with(Config { backend: BackendChoice::Recorded, ..config });
        play.replay(file);
        play
    };
    let play = opened(Config::default(), &file);
    assert_eq!(*play.state.settings().interventions, [MUTE]);
    assert!(!play.state.settings_differ_from_shown());
    let told = |play: &Play| {
        let attributes = play.state.shown(&play.state.trained_routing()).attributes();
        attributes.into_iter().find(|(name, _)| *name == "interventions").map(|(_, text)| text)
    };
    assert_eq!(told(&play), None, "it is this run's default");
    // An author may say that nothing is changed.
    let overrides = Overrides::from_iter([Setting::Interventions(changes("none"))]);
    let play = opened(Config { overrides, ..Config::default() }, &file);
    assert!(play.state.settings_differ_from_shown());
    assert_eq!(told(&play).as_deref(), Some("none"));
    let mut play = opened(Config::default(), &recorded());
    play.act(Action::Operate(Operation::Toggle(MUTE)));
    assert_eq!(told(&play).as_deref(), Some("mute:2,3"));
}

#[test]
fn another_model_is_not_changed_inside_unless_the_author_says_so() {
    let other = |play: &mut Play| {
        let config = Config { manifest_url: "other".to_owned(), ..play.state.config().clone() };
        play.configure(&config);
        let model = moe_trace::ModelInfo { weights_sha256: "1".repeat(64), ..fixture::model() };
        let backend = BackendInfo { rung: Rung::Cpu, name: "test".to_owned(), why: String::new() };
        play.act(Action::NextEngine(Event::Ready { model, backend }));
    };
    let mut play = page();
    let muted = operate(&mut play, Operation::Toggle(MUTE));
    finish(&mut play, &muted);
    other(&mut play);
    assert_eq!(play.posted().expect("a run of the other model").interventions, []);
    assert!(!play.state.surgery().can_undo(&changes("none")), "those experts are gone");

    let overrides = Overrides::from_iter([Setting::Interventions(changes("noise:*,0.5"))]);
    let mut play = Play::with(Config { overrides, ..Config::default() });
    play.replay(&recorded()).ready();
    let request = play.posted().expect("a run");
    assert_eq!(request.interventions, *changes("noise:*,0.5"));
    finish(&mut play, &request);
    other(&mut play);
    assert_eq!(play.posted().expect("a run of the other model").interventions, *changes("noise:*,0.5"));
}

#[test]
fn a_change_of_a_number_is_said_with_the_new_one() {
    let mut play = page();
    let heat = |temperature: f32| Operation::Make(Intervention::RouterTemperature { layer: None, temperature });
    let warm = operate(&mut play, heat(2.0));
    finish(&mut play, &warm);
    assert_eq!(difference(&play), ["router temperature 2 in every layer"]);
    let hot = operate(&mut play, heat(3.0));
    finish(&mut play, &hot);
    assert_eq!(difference(&play), ["router temperature 3 in every layer"]);
    let plain = operate(&mut play, Operation::Reset);
    finish(&mut play, &plain);
    assert_eq!(difference(&play), ["router temperature 1 again in every layer"]);
}
