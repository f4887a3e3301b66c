//! What the state asks of the world, carried out: a file per outside world, which owns what it keeps alive.

mod clock;
mod engine;
#[cfg(feature = "page")]
mod held_out;
mod host;
#[cfg(feature = "page")]
mod lesson;
#[cfg(feature = "page")]
mod model_files;
#[cfg(feature = "page")]
mod models;
mod replay;
#[cfg(feature = "page")]
mod texts;
mod tongue;
#[cfg(feature = "page")]
mod trainer;

use web_sys::HtmlElement;
use yew::Callback;

use crate::browser::address;
use crate::browser::engine_client::WorkerMessage;
#[cfg(feature = "page")]
use crate::browser::files;
use crate::settings::attributes::Config;
use crate::state::{Action, Effect, State};
use clock::Clock;
use engine::EngineRunner;
pub use host::Host;
#[cfg(feature = "page")]
use models::ModelList;
use replay::ReplayRunner;
#[cfg(feature = "page")]
use trainer::TrainerRunner;

/// What the world says back.
pub enum Report {
    Act(Action),
    /// From the worker of this number; messages of an earlier worker are ignored.
    Worker {
        worker: u32,
        message: WorkerMessage,
    },
    /// From the recorded run of this number.
    Replay {
        replay: u32,
        action: Action,
    },
}

/// Everything that is kept alive outside the state. Dropping it ends the worker and all timers.
pub struct Effects {
    engine: EngineRunner,
    replay: ReplayRunner,
    #[cfg(feature = "page")]
    models: ModelList,
    #[cfg(feature = "page")]
    trainer: TrainerRunner,
    clock: Clock,
    host: Host,
    report: Callback<Report>,
}

impl Effects {
    /// `report`: where the world answers.
    pub fn new(host: HtmlElement, report: Callback<Report>) -> Effects {
        Effects {
            engine: EngineRunner::new(report.clone()),
            replay: ReplayRunner::new(report.clone()),
            #[cfg(feature = "page")]
            models: ModelList::new(report.clone()),
            #[cfg(feature = "page")]
            trainer: TrainerRunner::new(report.clone()),
            clock: Clock::new(&host, report.clone()),
            host: Host::new(host),
            report,
        }
    }

    /// The action that a report amounts to; `None` where nobody listens any more.
    pub fn receive(&self, report: Report) -> Option<Action> {
        match report {
            Report::Act(action) => Some(action),
            Report::Worker { worker, message } => self.engine.receive(worker, message),
            Report::Replay { replay, action } => self.replay.is_current(replay).then_some(action),
        }
    }

    /// `state`: after the action that asks for it.
    pub fn carry_out(&mut self, effect: Effect, state: &State) {
        match effect {
            Effect::StartEngine => {
                self.engine.start(state);
                // A figure has no menu of them.
                #[cfg(feature = "page")]
                self.models.fetch(state.config());
            }
            Effect::EndEngine => self.engine.end(),
            Effect::StartNext => self.engine.start_next(state),
            Effect::StartTrial => self.engine.start_trial(state),
            Effect::EndNext => self.engine.end_next(),
            Effect::TakeOver => self.engine.take_over(),
            Effect::Post(command) => self.engine.post(&command, state.background().is_working()),
            #[cfg(feature = "page")]
            Effect::Train(command) => self.trainer.post(&command, state),
            #[cfg(feature = "page")]
            Effect::EndTrainer => self.trainer.end(),
            #[cfg(feature = "page")]
            Effect::FetchModel(run) => model_files::fetch(run, state.config(), &self.report),
            #[cfg(feature = "page")]
            Effect::FetchTexts(kinds) => texts::fetch(kinds, state.config(), &self.report),
            #[cfg(feature = "page")]
            Effect::KeepFile { name, bytes } => files::keep(&name, &bytes),
            // A figure has no panel that asks for a training.
            #[cfg(not(feature = "page"))]
            Effect::Train(_)
            | Effect::EndTrainer
            | Effect::FetchModel(_)
            | Effect::FetchTexts(_)
            | Effect::KeepFile { .. } => {}

            Effect::FetchReplay => {
                self.replay.fetch(state.config());
                // An engine that is held has a menu already.
                #[cfg(feature = "page")]
                if state.engine().can_run() {
                    self.models.fetch(state.config());
                }
            }
            #[cfg(feature = "page")]
            Effect::FetchLesson(name) => lesson::fetch(name, state.config(), &self.report),
            #[cfg(feature = "page")]
            Effect::FetchHeldOut => held_out::fetch(state.config(), &self.report),
            #[cfg(not(feature = "page"))]
            Effect::FetchHeldOut => {}
            Effect::Learn(language) => tongue::learn(language, state.config(), &self.report),
            Effect::AwaitReplay => self.clock.await_replay(),
            Effect::ScheduleRerun => self.clock.schedule_rerun(),
            Effect::AskToPlay => self.clock.ask_to_play(),

            Effect::SetModel(model) => self.host.set_model(&model),
            Effect::SetLesson(lesson) => self.host.set_lesson(&lesson),
            Effect::SetLetterKeys(heard) => self.host.set_letter_keys(heard),
            Effect::SetTheme(theme) => self.host.set_theme(theme),
            Effect::EmitReady { source, model, backend } => self.host.emit_ready(source, model, backend),
            Effect::EmitStep(step) => self.host.emit_step(step),
            Effect::EmitProgress(progress) => self.host.emit_progress(progress),
            Effect::EmitFinished { run, reason } => self.host.emit_finished(run, reason),
            Effect::EmitError(error) => self.host.emit_error(&error),
            Effect::EmitFailed(error) => self.host.tell_failed(&error),
        }
    }

    pub fn host(&self) -> &Host {
        &self.host
    }

    /// What goes on for as long as the state says so: the watchdog and the playback.
    pub fn follow(&mut self, state: &State) {
        self.engine.expect_answer(state.owes_answer());
        #[cfg(feature = "page")]
        self.trainer.follow(state.lab());
        self.clock.keep_pace(state.playback());
    }
}

/// Where the training lab's script is.
#[cfg(feature = "page")]
fn lab_url(config: &Config) -> String {
    resolve(config, config.lab_url.as_deref(), "lab.js")
}

/// An address of the configuration, or a default beside the assets.
fn resolve(config: &Config, given: Option<&str>, default: &str) -> String {
    match given {
        Some(given) => address::resolve(given, &address::document_base()),
        None => address::beside_assets(config.base_url.as_deref(), default),
    }
}
