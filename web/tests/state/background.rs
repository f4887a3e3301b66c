//! Runs of comparisons: computed while nobody else needs the engine, once each, and never on the screen.

use moe_trace::{
    BackendChoice, BackendInfo, Command, Event, FinishReason, RunId, RunRequest, Rung, StepTrace, UserError,
};
use web::settings::Setting;
use web::state::background::{End, Progress, Purpose};
use web::state::{Action, Effect};

use super::play::{Play, recorded};
use crate::fixture;

const LENGTH: FinishReason = FinishReason::Length;

/// Tokens that a run of the reader's is asked for, and those of the prompt and of what the first run wrote.
const WRITTEN: u32 = 18;
const TEXT: usize = 26;

/// A page whose first live run is over.
fn page() -> Play {
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded()).ready();
    let first = play.posted().expect("a run");
    play.execute(&first, 3).hear(Event::Finished { run: first.run, reason: LENGTH });
    play
}

/// The engine's answer to a request of a fixed text: all of it in one step.
fn answer(request: &RunRequest) -> StepTrace {
    let tokens = fixture::words(&request.prompt);
    let file = fixture::trace(1, &tokens, tokens.len(), request.clone());
    file.steps.into_iter().next().expect("one step")
}

/// The engine executes the run that it was given last.
fn compute(play: &mut Play, request: &RunRequest, elapsed_ms: f32) {
    play.hear(Event::Step { trace: answer(request).into(), elapsed_ms });
    play.hear(Event::Finished { run: request.run, reason: LENGTH });
}

fn progress(play: &Play) -> Progress {
    play.state.background().progress(Purpose::Policies).expect("it was asked for")
}

/// Computes what is asked for until nothing is; returns the requests.
fn compute_all(play: &mut Play) -> Vec<RunRequest> {
    let mut computed = Vec::new();
    while let Some(request) = play.posted() {
        compute(play, &request, 10.0);
        computed.push(request);
    }
    computed
}

fn error() -> UserError {
    UserError::new("It failed.", "For a reason.", "Try again.")
}

#[test]
fn a_comparison_runs_the_whole_text_and_leaves_the_screen_alone() {
    let mut play = page();
    let shown = (play.scene(), play.state.on_screen().cloned());
    play.act(Action::Compare(Purpose::Policies));
    let first = play.posted().expect("a run of the comparison");
    assert_eq!((first.max_new_tokens, first.seed), (0, 7));
    assert!(first.prompt.len() > fixture::PROMPT.len(), "what the model wrote is part of the text");
    assert!(!play.state.is_running(), "the reader's button still says Run");
    assert!(play.state.owes_answer());
    let computed = compute_all(&mut play);
    assert_eq!((play.scene(), play.state.on_screen().cloned()), shown);
    assert!(play.effects.iter().all(|effect| !matches!(effect, Effect::EmitStep(_) | Effect::EmitFinished { .. })));
    assert!(!play.state.owes_answer());
    // Five policies along seven factors, one of which is the run's own, and dropless, which knows no factor.
    assert_eq!(computed.len(), 5 * 7 + 1);
    assert!(computed.iter().all(|request| request.prompt == first.prompt));
    let done = progress(&play);
    assert_eq!((done.num_done, done.num_runs, done.num_tokens), (36, 36, Some(TEXT)));
    assert_eq!(done.spent_ms, 360.0);
}

#[test]
fn the_same_request_is_never_computed_twice() {
    let mut play = page();
    play.act(Action::Compare(Purpose::Policies));
    let first = compute_all(&mut play);
    play.act(Action::Compare(Purpose::Policies));
    assert_eq!(play.posted(), None);
    // Another factor asks for the droppers alone: dropless is known.
    play.act(Action::SetLabFactor(0.6)).act(Action::Compare(Purpose::Policies));
    let more = compute_all(&mut play);
    assert_eq!(more.len(), 5);
    let unnumbered = |request: &RunRequest| RunRequest { run: RunId(0), ..request.clone() };
    assert!(more.iter().all(|request| !first.iter().any(|known| unnumbered(known) == unnumbered(request))));
}

#[test]
fn a_run_of_the_readers_goes_first_and_the_interrupted_one_is_asked_for_again() {
    let mut play = page();
    play.act(Action::Compare(Purpose::Policies));
    let interrupted = play.posted().expect("a run of the comparison");
    play.act(Action::Run { prompt: None });
    let own = play.posted().expect("the reader's run");
    assert_ne!(own.run, interrupted.run);
    assert_eq!(own.max_new_tokens, WRITTEN);
    // What still comes of the interrupted one counts for nothing.
    play.hear(Event::Step { trace: answer(&interrupted).into(), elapsed_ms: 10.0 });
    play.hear(Event::Finished { run: interrupted.run, reason: FinishReason::Stopped });
    assert_eq!((play.posted(), progress(&play).num_done), (None, 0));
    assert!(play.state.engine().is_at(own.run));
    play.execute(&own, 1);
    assert_eq!(play.posted(), None, "not before the reader's run is over");
    play.hear(Event::Finished { run: own.run, reason: LENGTH });
    let again = play.posted().expect("the comparison goes on");
    assert_eq!(RunRequest { run: interrupted.run, ..again }, interrupted);
}

#[test]
fn nothing_is_computed_while_a_control_is_on_its_way() {
    let mut play = page();
    play.act(Action::Compare(Purpose::Policies));
    let first = play.posted().expect("a run of the comparison");
    play.act(Action::Slide(2.0));
    compute(&mut play, &first, 10.0);
    assert_eq!(play.posted(), None, "the slider is held");
    play.act(Action::LetGo);
    assert_eq!(play.effects, [Effect::ScheduleRerun]);
    play.act(Action::Rerun);
    let own = play.posted().expect("the reader's run");
    assert_eq!(own.max_new_tokens, WRITTEN);
}

#[test]
fn a_cancelled_comparison_keeps_what_is_done_and_goes_on_from_there() {
    let mut play = page();
    play.act(Action::Compare(Purpose::Policies));
    let first = play.posted().expect("a run");
    compute(&mut play, &first, 10.0);
    let second = play.posted().expect("the next");
    let so_far = progress(&play);
    assert!(so_far.is_under_way());
    assert_eq!((so_far.num_done, so_far.remaining_ms()), (1, Some(350.0)));
    play.act(Action::StopComparing(Purpose::Policies));
    assert_eq!(play.effects, [Effect::Post(Command::Stop(second.run))]);
    play.hear(Event::Finished { run: second.run, reason: FinishReason::Stopped });
    assert_eq!((play.posted(), progress(&play).num_done), (None, 1));
    assert_eq!(progress(&play).end, Some(End::Cancelled));
    assert!(!progress(&play).is_under_way() && !play.state.owes_answer());
    play.act(Action::Compare(Purpose::Policies));
    assert_eq!(compute_all(&mut play).len(), 35);
}

#[test]
fn a_run_that_fails_ends_its_comparison_and_says_why() {
    let mut play = page();
    play.act(Action::Compare(Purpose::Policies));
    let first = play.posted().expect("a run");
    play.hear(Event::Failed { run: Some(first.run), error: error(), fatal: false });
    assert_eq!(play.posted(), None);
    assert_eq!(progress(&play).end, Some(End::Failed(error())));
    assert!(play.state.notice().is_none(), "the run on the screen has not failed");
}

#[test]
fn a_worker_that_dies_of_a_comparison_is_not_given_it_again() {
    let mut play = page();
    play.act(Action::Compare(Purpose::Policies));
    let first = play.posted().expect("a run");
    play.hear(Event::Failed { run: Some(first.run), error: error(), fatal: true });
    assert!(play.effects.contains(&Effect::StartEngine));
    play.ready();
    let own = play.posted().expect("the reader's run, repeated");
    assert_eq!(own.max_new_tokens, WRITTEN);
    play.execute(&own, 1).hear(Event::Finished { run: own.run, reason: LENGTH });
    assert_eq!(play.posted(), None);
    assert_eq!(progress(&play).end, Some(End::Failed(error())));
}

#[test]
fn what_another_model_was_asked_for_is_forgotten() {
    let mut play = page();
    play.act(Action::Compare(Purpose::Policies));
    assert!(play.posted().is_some());
    play.hear(Event::Failed { run: None, error: error(), fatal: true });
    let other = moe_trace::ModelInfo { weights_sha256: "1".repeat(64), ..fixture::model() };
    let backend = moe_trace::BackendInfo { rung: moe_trace::Rung::Cpu, name: String::new(), why: String::new() };
    play.hear(Event::Ready { model: other, backend });
    assert_eq!(play.state.background().progress(Purpose::Policies), None);
}

#[test]
fn an_engine_that_has_compared_keeps_its_place() {
    let mut play = page();
    play.hear(Event::Offered { rung: Rung::Webgpu }).act(Action::Compare(Purpose::Policies));
    let first = play.posted().expect("a run of the comparison");
    let backend = BackendInfo { rung: Rung::Webgpu, name: "a card".to_owned(), why: "it is fast".to_owned() };
    play.act(Action::NextEngine(Event::Ready { model: fixture::model(), backend }));
    assert_eq!(play.effects, []);
    compute(&mut play, &first, 10.0);
    compute_all(&mut play);
    assert_eq!(play.effects.last(), Some(&Effect::EndNext));
    assert_eq!((progress(&play).num_done, play.state.is_running()), (36, false));
    assert!(play.state.backend().is_some_and(|backend| backend.why.ends_with("made on the CPU meanwhile")));
}

#[test]
fn there_is_nothing_to_compare_without_an_engine() {
    let mut play = Play::new(BackendChoice::Recorded);
    play.replay(&recorded());
    assert!(play.state.cannot_compare().is_some());
    play.act(Action::Compare(Purpose::Policies));
    assert_eq!(play.posted(), None);
    assert_eq!(play.state.background().progress(Purpose::Policies), None);
    play.set(Setting::Seed(1));
    assert_eq!(play.posted(), None);
}
