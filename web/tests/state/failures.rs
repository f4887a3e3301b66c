//! Engines that fail, as lists of actions.

use moe_trace::{BackendChoice, BackendInfo, Event, FinishReason, Rung, Source, UserError};

use web::state::{Action, Effect, Engine, MAX_RESTARTS};
use web::words::problems::{Problem, WorkerMissing};
use web::words::tongue::{self, Language};

use super::play::{Play, recorded};
use crate::fixture;

fn lost(why: &str) -> Action {
    Action::EngineLost(UserError::new("The engine stopped working.", why, "").with_details("Error: raw"))
}

#[test]
fn a_dead_worker_is_replaced_twice_and_then_given_up() {
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded());
    for attempt in 1..=MAX_RESTARTS {
        play.act(lost("silence"));
        assert_eq!(play.effects[0], Effect::StartEngine, "attempt {attempt}");
        assert_eq!(play.state.engine(), &Engine::Starting);
    }
    let error = UserError::new("x", "memory", "y");
    play.hear(Event::Failed { run: None, error, fatal: true });
    assert_eq!(play.effects[0], Effect::EndEngine);
    assert!(matches!(play.state.engine(), Engine::Failed(_)));
    assert!(play.effects.iter().any(|effect| matches!(effect, Effect::EmitReady { source: Source::Recorded, .. })));
    assert_eq!(play.state.settings().prompt, fixture::PROMPT, "nothing is lost");
    assert!(play.num_steps() > 1);
    play.act(Action::Retry);
    assert_eq!(play.effects, [Effect::StartEngine]);
    // A whole run between failures makes them no series.
    for _ in 0..=MAX_RESTARTS {
        play.ready();
        let request = play.posted().expect("it runs again");
        play.execute(&request, 1).hear(Event::Finished { run: request.run, reason: FinishReason::Length });
        play.act(lost("silence"));
        assert_eq!(play.effects[0], Effect::StartEngine);
    }
}

#[test]
fn a_run_that_always_dies_is_not_started_for_ever() {
    let mut play = Play::new(BackendChoice::Cpu);
    play.replay(&recorded());
    for _ in 0..=MAX_RESTARTS {
        play.ready();
        let request = play.posted().expect("it runs by itself");
        play.execute(&request, 1).act(lost("silence"));
    }
    assert!(matches!(play.state.engine(), Engine::Failed(_)));
    // Whoever asks again gets as many tries again.
    play.act(Action::Retry).ready();
    let request = play.posted().expect("a run");
    play.execute(&request, 1).act(lost("silence"));
    play.ready().act(lost("silence"));
    play.ready().act(Action::Run { prompt: None }).act(lost("silence"));
    assert_eq!(play.effects[0], Effect::StartEngine);
}

#[test]
fn what_fails_on_the_gpu_goes_on_on_the_cpu_and_says_why() {
    let lost = || lost("The device is lost.");
    let on_gpu = |play: &mut Play| {
        let backend = BackendInfo { rung: Rung::Webgpu, name: "test".to_owned(), why: "WebGPU works here".to_owned() };
        play.hear(Event::Ready { model: fixture::model(), backend });
    };
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded());
    on_gpu(&mut play);
    assert_eq!(play.state.backend_to_load(), BackendChoice::Auto);
    let request = play.posted().expect("a run");
    play.execute(&request, 2);
    let by_engine = |play: &Play| play.state.latest().is_some_and(|shown| play.state.is_by_engine(shown));
    assert!(by_engine(&play));
    play.act(lost());
    assert_eq!((&play.effects[0], play.state.backend_to_load()), (&Effect::StartEngine, BackendChoice::Cpu));
    let advice = play.state.notice().expect("a message").problem.say().try_this;
    assert!(advice.starts_with("It is being started again on the CPU (1 of 2)."), "{advice}");
    play.ready();
    assert!(!by_engine(&play), "until its first step the run on the screen, and its speed, are the GPU's");
    let why = play.state.backend().cloned().expect("a backend").why.clone();
    assert_eq!(why, "the GPU failed (The device is lost); reload the page to try it again");
    // The CPU may fail, too; and an attribute that changes is the author's word.
    play.act(lost()).act(lost());
    assert!(matches!(play.state.engine(), Engine::Failed(_)));
    play.act(Action::Retry);
    assert_eq!(play.state.backend_to_load(), BackendChoice::Auto);

    // A start that fails is not the GPU's: what is loaded first runs on the CPU.
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded()).hear(fixture::progress(4, 9)).act(lost());
    play.hear(fixture::progress(9, 9));
    let error = UserError::new("The model could not be loaded.", "no memory", "Reload the page.").with_details("OOM");
    play.hear(Event::Failed { run: None, error: error.clone(), fatal: true });
    assert_eq!(play.state.backend_to_load(), BackendChoice::Auto);
    play.hear(Event::Failed { run: None, error, fatal: true });
    let notice = play.state.notice().expect("a message").problem.say();
    assert_eq!(notice.try_this, "Press Retry to try once more; the run on the screen stays. Reload the page.");
    assert_eq!((notice.why.as_str(), notice.details.as_deref()), ("no memory", Some("OOM")), "raw text is apart");

    let mut play = Play::new(BackendChoice::Webgpu);
    play.replay(&recorded());
    on_gpu(&mut play);
    play.act(lost());
    assert_eq!(play.state.backend_to_load(), BackendChoice::Webgpu, "nothing else was asked for");
}

#[test]
fn a_missing_model_is_not_asked_for_again() {
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded());
    let error = UserError::new("The model could not be loaded.", "404", "Watch the recorded run.");
    play.hear(Event::Failed { run: None, error: error.clone(), fatal: false });
    let problem = Problem::ModelMissing { error: error.clone(), has_others: false };
    assert_eq!(play.state.engine(), &Engine::Failed(problem));
    assert!(play.effects.contains(&Effect::EmitError(error)));
    assert!(play.effects.contains(&Effect::EndEngine));
}

#[test]
fn an_engine_whose_files_are_not_there_is_not_asked_for_again() {
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded());
    let error = UserError::new("The engine could not be loaded.", "There is no worker.js.", "Reload the page.");
    play.hear(Event::Unstartable(error.clone()));
    assert_eq!(play.state.engine(), &Engine::Failed(Problem::Told(error.clone())));
    assert!(play.effects.contains(&Effect::EmitError(error)) && play.effects.contains(&Effect::EndEngine));
    play.act(Action::Retry);
    assert_eq!(play.effects, [Effect::StartEngine]);
}

/// What a deployment replaced is not there at the next try either, and a file that did not come may be.
#[test]
fn where_a_reload_is_what_helps_it_is_what_is_advised() {
    let check = |error: UserError, expected: bool| {
        let mut play = Play::new(BackendChoice::Auto);
        play.replay(&recorded()).hear(Event::Unstartable(error.clone()));
        let Engine::Failed(problem) = play.state.engine() else { panic!("{error:?}") };
        assert_eq!(problem.asks_for_reload(), expected, "{error:?}");
    };
    let told = |try_this: &str| UserError::new("The engine could not be loaded.", "It is not there.", try_this);
    check(told("Reload the page. If this stays so, files are missing where they are served from."), true);
    check(told("Check the connection and try again; what is shown here needs no more files."), false);
    check(told("If this repeats, reload the page."), false);
    for language in [Language::English, Language::Chinese] {
        let english = "Reload the page: the site may have been updated meanwhile.".to_owned();
        tongue::learn(Language::Chinese, [(english, "请重新加载页面。".to_owned())].into());
        tongue::speak(language);
        let why = Some("worker.js was answered with status 404.".to_owned());
        let missing = Problem::Told(WorkerMissing { why }.say());
        assert!(missing.asks_for_reload(), "{missing:?}");
        assert!(!Problem::Told(WorkerMissing { why: None }.say()).asks_for_reload());
    }
    tongue::speak(Language::English);
}

#[test]
fn a_run_that_fails_by_itself_is_over() {
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded()).ready();
    let request = play.posted().expect("a run");
    let error = UserError::new("x", "y", "z");
    play.execute(&request, 2).hear(Event::Failed { run: Some(request.run), error, fatal: false });
    let shown = play.state.latest().cloned().expect("its steps stay");
    assert_eq!((play.state.is_running(), shown.finished), (false, Some(FinishReason::Stopped)));
    assert!(play.state.engine().is_ready());
}
