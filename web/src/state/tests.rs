//! The reducer as lists of actions: what happens, and what is then true.

use moe_trace::{
    BackendChoice, BackendInfo, Command, Event, FinishReason, Policy, RoutingGroup, RoutingSpec, RunId, RunRequest,
    Rung, Source, StepTrace, TraceFile, UserError,
};

use super::settings::Setting;
use super::*;
use crate::attributes::{Config, Overrides};
use crate::replay;

#[path = "../../tests/fixture/mod.rs"]
#[allow(dead_code)]
pub(super) mod fixture;

/// Applies actions one after the other and collects their effects.
pub(super) struct Play {
    pub(super) state: State,
    pub(super) effects: Vec<Effect>,
}

impl Play {
    pub(super) fn new(backend: BackendChoice) -> Play {
        let config = Config { backend, ..Config::default() };
        Play { state: State::new(config, Vec::new()), effects: Vec::new() }
    }

    pub(super) fn act(&mut self, action: Action) -> &mut Play {
        let next = self.state.apply(action);
        self.effects = effects(&self.state, &next);
        self.state = next;
        self
    }

    pub(super) fn hear(&mut self, event: Event) -> &mut Play {
        self.act(Action::Engine(event))
    }

    pub(super) fn set(&mut self, setting: Setting) -> &mut Play {
        self.act(Action::Set(setting))
    }

    pub(super) fn replay(&mut self, file: &TraceFile) -> &mut Play {
        self.act(replay::began(file.header.clone()));
        for step in &file.steps {
            self.act(replay::step(step.clone()));
        }
        self.act(replay::finished())
    }

    pub(super) fn ready(&mut self) -> &mut Play {
        let backend = BackendInfo { rung: Rung::Cpu, name: "test".to_owned(), why: "asked for".to_owned() };
        self.hear(Event::Ready { model: fixture::model(), backend })
    }

    /// The request that the last action posted.
    pub(super) fn posted(&self) -> Option<RunRequest> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Post(Command::Run(request)) => Some(request.clone()),
            _ => None,
        })
    }

    /// The engine executes a request: the fixture's steps under its routing.
    pub(super) fn execute(&mut self, request: &RunRequest, steps: usize) -> &mut Play {
        for trace in executed(request).into_iter().take(steps) {
            self.hear(Event::Step { trace, elapsed_ms: 10.0 });
        }
        self
    }

    pub(super) fn num_steps(&self) -> usize {
        self.state.shown.as_ref().map_or(0, |shown| shown.steps.len())
    }
}

pub(super) fn recorded() -> TraceFile {
    fixture::default_trace(RoutingSpec::default(), RoutingGroup::ThisText)
}

pub(super) fn executed(request: &RunRequest) -> Vec<StepTrace> {
    let file = fixture::default_trace(request.routing, request.group);
    file.steps.into_iter().map(|step| StepTrace { run: request.run, ..step }).collect()
}

#[test]
fn the_recorded_run_shows_its_only_drop() {
    let mut play = Play::new(BackendChoice::Recorded);
    play.replay(&recorded());
    let scene = play.state.scene.clone().expect("a scene");
    assert_eq!(scene.step, 0);
    assert_eq!(scene.totals().lost, 1);
    let selection = play.state.selection;
    assert!(scene.layers[selection.layer].fate(selection.token) >= crate::scene::TokenFate::LostSome);
    assert_eq!(play.state.settings.prompt, fixture::PROMPT);
    assert!(matches!(play.effects[..], [Effect::EmitReady { source: Source::Recorded, .. }]));
}

#[test]
fn it_turns_live_without_a_jump() {
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded());
    let (selection, step) = (play.state.selection, play.state.scene.as_ref().map(|scene| scene.step));
    play.ready();
    let request = play.posted().expect("a run begins by itself");
    assert_eq!(request, RunRequest { run: RunId(1), ..recorded().header.request });
    assert!(play.effects.iter().any(|effect| matches!(effect, Effect::EmitReady { source: Source::LiveCpu, .. })));
    assert_eq!(play.num_steps(), recorded().steps.len(), "the recorded run stays until the first live step");
    play.execute(&request, 3);
    assert_eq!(play.state.shown.as_ref().map(|shown| shown.source), Some(Source::LiveCpu));
    assert_eq!(play.num_steps(), 3);
    assert_eq!(play.state.selection, selection);
    assert_eq!(play.state.scene.as_ref().map(|scene| scene.step), step);
    assert_eq!(play.state.previous, None, "the same request is not before and after");
}

#[test]
fn a_live_run_waits_for_the_recorded_settings() {
    let mut play = Play::new(BackendChoice::Auto);
    play.ready();
    assert_eq!(play.posted(), None);
    play.act(replay::began(recorded().header));
    assert_eq!(play.posted().map(|request| request.prompt), Some(fixture::PROMPT.to_owned()));

    let mut play = Play::new(BackendChoice::Auto);
    play.ready().act(Action::ReplayFailed(UserError::new("a", "b", "c")));
    assert!(play.posted().is_some());
}

#[test]
fn moving_the_capacity_factor_reruns_and_compares() {
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded()).ready();
    let first = play.posted().expect("a run");
    play.execute(&first, 2).hear(Event::Finished { run: first.run, reason: FinishReason::Length });
    play.set(Setting::CapacityFactor(2.0));
    let [Effect::ScheduleRerun { ticket }] = play.effects[..] else { panic!("{:?}", play.effects) };
    // A second move before the first has rested makes the first ticket void.
    play.set(Setting::CapacityFactor(2.5)).act(Action::Rerun { ticket });
    assert_eq!(play.posted(), None);
    play.act(Action::Rerun { ticket: ticket + 1 });
    let second = play.posted().expect("a re-run");
    assert_eq!(second.routing, RoutingSpec::with_policy(2, Policy::Drop, 2.5));
    play.execute(&second, 1);
    assert_eq!(play.state.scene.as_ref().map(|scene| scene.totals().lost), Some(0));
    let change = play.state.change.clone().expect("a comparison");
    // The fixture's losses do not depend on routing; a comparison over all 23 predicted tokens is what counts.
    assert_eq!((change.before.num_tokens, change.after.num_tokens), (23, 23));
    // A/B brings the run before back, and again the new one.
    play.act(Action::Flip);
    assert_eq!(play.state.scene.as_ref().map(|scene| scene.totals().lost), Some(1));
    play.act(Action::Flip);
    assert_eq!(play.state.scene.as_ref().map(|scene| scene.totals().lost), Some(0));
}

#[test]
fn stale_steps_are_ignored() {
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded()).ready();
    let first = play.posted().expect("a run");
    play.execute(&first, 1).act(Action::Run { prompt: None });
    let second = play.posted().expect("another run");
    assert_ne!(first.run, second.run);
    play.execute(&second, 1).execute(&first, 5);
    assert_eq!(play.num_steps(), 1);
    play.hear(Event::Finished { run: first.run, reason: FinishReason::Stopped });
    assert_eq!(play.state.phase, Phase::Running(second.run));
}

#[test]
fn stop_is_asked_once_and_ends_the_run() {
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded()).ready();
    let run = play.posted().expect("a run").run;
    play.act(Action::Stop);
    assert_eq!(play.effects, [Effect::Post(Command::Stop(run))]);
    play.act(Action::Stop);
    assert_eq!(play.effects, []);
    assert!(play.state.is_stopping());
    play.hear(Event::Finished { run, reason: FinishReason::Stopped });
    assert_eq!(play.state.phase, Phase::Idle);
}

#[test]
fn a_dead_worker_is_replaced_twice_and_then_given_up() {
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded());
    for attempt in 1..=MAX_RESTARTS {
        play.act(Action::EngineLost { why: "silence".to_owned() });
        assert_eq!(play.effects[0], Effect::StartEngine, "attempt {attempt}");
        assert_eq!(play.state.phase, Phase::Starting);
    }
    let error = UserError::new("x", "memory", "y");
    play.hear(Event::Failed { run: None, error, fatal: true });
    assert_eq!(play.effects[0], Effect::EndEngine);
    assert!(matches!(play.state.phase, Phase::Failed(_)));
    assert!(play.effects.iter().any(|effect| matches!(effect, Effect::EmitReady { source: Source::Recorded, .. })));
    assert_eq!(play.state.settings.prompt, fixture::PROMPT, "nothing is lost");
    assert!(play.num_steps() > 1);
    play.act(Action::Retry);
    assert_eq!(play.effects, [Effect::StartEngine]);
    // A whole run between failures makes them no series.
    for _ in 0..=MAX_RESTARTS {
        play.ready();
        let request = play.posted().expect("it runs again");
        play.execute(&request, 1).hear(Event::Finished { run: request.run, reason: FinishReason::Length });
        play.act(Action::EngineLost { why: "silence".to_owned() });
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
        play.execute(&request, 1).act(Action::EngineLost { why: "silence".to_owned() });
    }
    assert!(matches!(play.state.phase, Phase::Failed(_)));
    // Whoever asks again gets as many tries again.
    play.act(Action::Retry).ready();
    let request = play.posted().expect("a run");
    play.execute(&request, 1).act(Action::EngineLost { why: "silence".to_owned() });
    play.ready().act(Action::EngineLost { why: "silence".to_owned() });
    play.ready().act(Action::Run { prompt: None }).act(Action::EngineLost { why: "silence".to_owned() });
    assert_eq!(play.effects[0], Effect::StartEngine);
}

#[test]
fn what_fails_on_the_gpu_goes_on_on_the_cpu_and_says_why() {
    let lost = || Action::EngineLost { why: "The device is lost.".to_owned() };
    let on_gpu = |play: &mut Play| {
        let backend = BackendInfo { rung: Rung::Webgpu, name: "test".to_owned(), why: "WebGPU works here".to_owned() };
        play.hear(Event::Ready { model: fixture::model(), backend });
    };
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded());
    on_gpu(&mut play);
    assert_eq!(play.state.backend_to_load(), BackendChoice::Auto);
    play.act(lost());
    assert_eq!((&play.effects[0], play.state.backend_to_load()), (&Effect::StartEngine, BackendChoice::Cpu));
    let advice = play.state.notice.clone().expect("a message").message.try_this;
    assert!(advice.starts_with("It is being started again on the CPU (1 of 2)."), "{advice}");
    play.ready();
    let why = play.state.backend.clone().expect("a backend").why.clone();
    assert_eq!(why, "the GPU failed (The device is lost); reload the page to try it again");
    // The CPU may fail, too; and an attribute that changes is the author's word.
    play.act(lost()).act(lost());
    let Phase::Failed(_) = &play.state.phase else { panic!("{:?}", play.state.phase) };
    play.act(Action::Retry);
    assert_eq!(play.state.backend_to_load(), BackendChoice::Auto);

    // A start that fails once all is loaded fails at the device.
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded()).hear(Event::Progress { loaded_bytes: 4, total_bytes: 9, from_cache: false }).act(lost());
    assert_eq!(play.state.backend_to_load(), BackendChoice::Auto);
    play.hear(Event::Progress { loaded_bytes: 9, total_bytes: 9, from_cache: false });
    let error = UserError::new("The model could not be loaded.", "no memory", "Reload the page.");
    play.hear(Event::Failed { run: None, error: error.clone(), fatal: true });
    assert_eq!(play.state.backend_to_load(), BackendChoice::Cpu);
    play.hear(Event::Failed { run: None, error, fatal: true });
    let notice = play.state.notice.clone().expect("a message");
    assert_eq!(notice.message.try_this, "Press Retry to try once more; the run on the screen stays. Reload the page.");

    let mut play = Play::new(BackendChoice::Webgpu);
    play.replay(&recorded());
    on_gpu(&mut play);
    play.act(lost());
    assert_eq!(play.state.backend_to_load(), BackendChoice::Webgpu, "nothing else was asked for");
}

#[test]
fn a_run_that_fails_by_itself_is_over() {
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded()).ready();
    let request = play.posted().expect("a run");
    let error = UserError::new("x", "y", "z");
    play.execute(&request, 2).hear(Event::Failed { run: Some(request.run), error, fatal: false });
    let shown = play.state.shown.clone().expect("its steps stay");
    assert_eq!((play.state.phase.clone(), shown.finished), (Phase::Idle, Some(FinishReason::Stopped)));
}

#[test]
fn a_recorded_run_that_does_not_come_is_not_waited_for() {
    let mut play = Play::new(BackendChoice::Auto);
    play.ready();
    assert!(play.effects.contains(&Effect::AwaitReplay) && play.posted().is_none());
    play.act(Action::ReplayIsLate);
    let request = play.posted().expect("a run of its own");
    play.execute(&request, 1).replay(&recorded());
    assert_eq!(play.state.shown.as_ref().map(|shown| shown.run()), Some(request.run), "it comes too late");
    assert_eq!(play.state.settings.prompt, request.prompt);

    // Nobody has asked for a run of nothing.
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded()).set(Setting::Prompt(String::new())).ready();
    assert_eq!((play.posted(), play.state.notice.clone()), (None, None));
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
    assert_eq!(play.state.shown.as_ref().map(|shown| shown.request.routing), Some(tight.header.request.routing));
    assert_eq!((play.num_steps(), play.state.settings.capacity_factor), (tight.steps.len(), 0.75));
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
        play.act(configured(BackendChoice::Auto)).act(replay::began(tight.header.clone()));
        let repeated = play.posted().map(|request| request.routing);
        assert_eq!(repeated, (!is_settled).then_some(tight.header.request.routing));
        assert!(play.state.shown.as_ref().is_some_and(|shown| shown.run() != RECORDED_RUN), "the live run stays");
    }
}

#[test]
fn a_missing_model_is_not_asked_for_again() {
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded());
    let error = UserError::new("The model could not be loaded.", "404", "Watch the recorded run.");
    play.hear(Event::Failed { run: None, error: error.clone(), fatal: false });
    assert_eq!(play.state.phase, Phase::Failed(error.clone()));
    assert!(play.effects.contains(&Effect::EmitError(error)));
    assert!(play.effects.contains(&Effect::EndEngine));
}

#[test]
fn prompts_that_cannot_run_are_kept_and_explained() {
    let check = |prompt: &str, what: &str| {
        let mut play = Play::new(BackendChoice::Auto);
        play.replay(&recorded()).ready();
        let request = play.posted().expect("a run");
        play.execute(&request, 1).hear(Event::Finished { run: request.run, reason: FinishReason::Length });
        play.act(Action::Run { prompt: Some(prompt.to_owned()) });
        assert_eq!(play.posted(), None);
        assert_eq!(play.state.settings.prompt, prompt);
        let notice = play.state.notice.clone().expect("an explanation");
        assert!(notice.message.what.starts_with(what), "{}", notice.message.what);
        assert_eq!(play.num_steps(), 1, "the run on the screen stays");
    };
    check("", "There is nothing to run yet.");
    check(&"x".repeat(10_000), "The prompt is too long: 10000 of at most 2000 characters.");
}

#[test]
fn changed_attributes_change_only_what_they_name() {
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded()).ready();
    play.set(Setting::Seed(99));
    let overrides = Overrides { capacity_factor: Some(0.5), ..Overrides::default() };
    let config = Config { backend: BackendChoice::Auto, overrides, ..Config::default() };
    play.act(Action::Configured { config: Box::new(config.clone()), errors: Vec::new() });
    assert_eq!((play.state.settings.seed, play.state.settings.capacity_factor), (99, 0.5));
    assert!(matches!(play.effects[..], [Effect::ScheduleRerun { .. }]));
    let config = Config { backend: BackendChoice::Recorded, ..config };
    play.act(Action::Configured { config: Box::new(config), errors: Vec::new() });
    assert_eq!(play.effects[0], Effect::EndEngine);
    assert_eq!(play.state.phase, Phase::Recorded);
}

#[test]
fn decode_steps_gather_to_one_text() {
    let file = fixture::default_trace(RoutingSpec::default(), RoutingGroup::DecodeStep);
    let prompt_len = fixture::words(fixture::PROMPT).len();
    let mut play = Play::new(BackendChoice::Recorded);
    play.replay(&file);
    // Nothing is lost, so the end of the prompt is shown.
    assert_eq!((play.state.scene.as_ref().map(|scene| scene.step), play.state.selection.token), (Some(23), 23));
    play.act(Action::StepTo(prompt_len + 2));
    let scene = play.state.scene.clone().expect("a scene");
    assert_eq!(scene.tokens.len(), prompt_len + 3);
    assert_eq!(scene.groups.len(), prompt_len + 3);
    let last = scene.groups[prompt_len + 2];
    assert_eq!((last.num_tokens, last.first), (1, scene.tokens.len() - 1));
    assert_eq!(scene.layers[0].capacities[prompt_len + 2], Some(1), "one token, one slot");
    assert_eq!(scene.layers[0].of_token(scene.tokens.len() - 1).len(), 2);
    let ended = |token: usize| scene.next_after(token).map(|(step, _)| step);
    assert_eq!((ended(0), ended(prompt_len)), (Some(0), Some(prompt_len)));
}

#[test]
fn the_prompt_ends_where_its_bytes_do() {
    let check = |group: RoutingGroup, num_steps: usize, expected: usize| {
        let file = fixture::default_trace(RoutingSpec::default(), group);
        let mut run = Recording::new(Source::Recorded, Rc::new(fixture::model()), file.header.request);
        for step in file.steps.into_iter().take(num_steps) {
            run = run.with_step(step, None).expect("steps in order");
        }
        assert_eq!(run.prompt_len(), expected, "{group} after {num_steps} steps");
    };
    check(RoutingGroup::ThisText, 1, 24);
    check(RoutingGroup::ThisText, 9, 24);
    check(RoutingGroup::DecodeStep, 0, 0);
    check(RoutingGroup::DecodeStep, 3, 3);
    check(RoutingGroup::DecodeStep, 24, 24);
    check(RoutingGroup::DecodeStep, 30, 24);
}

#[test]
fn texts_that_only_begin_alike_are_not_compared() {
    let check = |group: RoutingGroup, other_token: Option<usize>, is_compared: bool| {
        let file = fixture::default_trace(RoutingSpec::default(), group);
        let model = Rc::new(fixture::model());
        let empty = Recording::new(Source::Recorded, model, file.header.request);
        let (mut before, mut now) = (empty.clone(), empty);
        for step in file.steps {
            now = now.with_step(step.clone(), None).expect("steps in order");
            let mut other = step;
            let at = other_token.and_then(|token| token.checked_sub(other.first_position as usize));
            if let Some(token) = at.and_then(|at| other.tokens.get_mut(at)) {
                token.id.0 += 1;
            }
            before = before.with_step(other, None).expect("steps in order");
        }
        let now = Scene::of(&Shared::new(now), 99).expect("a scene");
        assert_eq!(
            crate::compare::change(&Shared::new(before), &now).is_some(),
            is_compared,
            "{group} {other_token:?}"
        );
    };
    for group in [RoutingGroup::ThisText, RoutingGroup::DecodeStep] {
        check(group, None, true);
        check(group, Some(2), false);
        check(group, Some(23), false);
        check(group, Some(24), true);
    }
}

#[test]
fn playing_goes_to_the_end_and_stops() {
    let mut play = Play::new(BackendChoice::Recorded);
    play.replay(&recorded()).act(Action::TogglePlay);
    for _ in 0..100 {
        play.act(Action::Tick);
    }
    let scene = play.state.scene.clone().expect("a scene");
    assert_eq!(scene.step + 1, play.num_steps());
    assert!(!play.state.playback.playing);
    assert_eq!(play.state.selection.token + 1, scene.tokens.len(), "the selection follows the playback head");
    play.act(Action::StepBy(-1)).act(Action::Move(Motion::FirstToken));
    assert_eq!(play.state.selection.token, 0);
    play.act(Action::Move(Motion::Token(-1))).act(Action::Move(Motion::Layer(99)));
    assert_eq!((play.state.selection.token, play.state.selection.layer), (0, fixture::NUM_LAYERS - 1));
    play.act(Action::StepTo(0)).act(Action::Move(Motion::NextDrop));
    let scene = play.state.scene.clone().expect("a scene");
    let selection = play.state.selection;
    assert!(scene.layers[selection.layer].fate(selection.token) >= crate::scene::TokenFate::LostSome);
}

#[test]
fn without_an_engine_a_change_is_a_what_if_of_one_layer() {
    let mut play = Play::new(BackendChoice::Recorded);
    play.replay(&recorded());
    assert_eq!(play.state.what_if, None);
    play.set(Setting::CapacityFactor(2.0));
    assert_eq!(play.effects, [], "nothing is run");
    let layer = play.state.what_if.clone().expect("the same logits, routed again");
    assert_eq!((layer.totals().lost, layer.routing.capacity), (0, Some(12)));
    let scene = play.state.scene.clone().expect("a scene");
    assert_eq!(scene.totals().lost, 1, "the run itself is as it was");
    // Chance needs draws, and another group other tokens: neither can be said without a re-run.
    play.set(Setting::Policy(Some(Policy::RandomSecond)));
    assert_eq!(play.state.what_if, None);
    play.set(Setting::Policy(Some(Policy::Drop))).set(Setting::Group(RoutingGroup::DecodeStep));
    assert_eq!(play.state.what_if, None);
    play.set(Setting::Group(RoutingGroup::ThisText)).set(Setting::CapacityFactor(1.25));
    assert_eq!(play.state.what_if, None, "back to what was run");
}
