//! Everything the page knows, as one value. It changes only in [`State::apply`], which hands every action to one of the
//! machines that the value is made of.

pub mod action;
#[cfg(feature = "page")]
mod against;
mod apply;
pub mod background;
mod coming;
mod comparisons;
#[cfg(feature = "page")]
pub mod course;
pub mod effects;

pub mod engine;
pub mod held_out;
pub mod progress;
pub mod trial;
pub mod worker;

pub mod controls;
pub mod in_step;
pub mod notices;
pub mod screen;
pub mod speech;
pub mod surgery;
pub mod time_machine;
pub mod tour;

pub mod derived;

pub mod keyboard;
pub mod lab;
pub mod replay;

use std::borrow::Cow;
use std::rc::Rc;

use moe_trace::{BackendChoice, BackendInfo, ModelInfo, RoutingSpec, UserError};

pub use action::{Action, Motion};
pub use effects::Effect;
pub use engine::Engine;
pub use notices::Notice;
pub use screen::{Cursor, Playback, Selection};
pub use worker::MAX_RESTARTS;

pub use crate::settings::theme::Theme;

use crate::run::compare::Change;
use crate::run::drops::Drops;
use crate::run::experts::Experts;
use crate::run::experts::muting::Muting;
use crate::run::findings::Findings;
use crate::run::history::Entry;
use crate::run::in_step::InStep;
use crate::run::moments::Moments;
use crate::run::pair::Pair;
use crate::run::policies::PolicyLab;
use crate::run::positions::{ByPosition, Positions};
use crate::run::recording::Recording;
use crate::run::runs::Runs;
use crate::run::scene::{Scene, SceneLayer};
use crate::run::shared::Shared;
use crate::run::tried::Tried;
#[cfg(feature = "page")]
use crate::settings::against::Against;
use crate::settings::attributes::Config;
use crate::settings::models::{self, Choice, Menu};
use crate::settings::place::Place;
use crate::settings::shown::Shown;
use crate::settings::view::View;
use crate::settings::{PromptProblem, Settings};
use background::Background;
use controls::Controls;
use derived::Derived;
use engine::Kept;
use held_out::Judging;
use in_step::TextsInStep;
use lab::Lab;
use notices::Notices;
use progress::Waiting;
use screen::{Extent, Screen};
use speech::Speech;
use surgery::Surgery;
use time_machine::TimeMachine;
use worker::{Next, Worker};

#[derive(Debug, Clone, PartialEq)]
pub struct State {
    config: Config,
    /// The models there are to choose from, where the site has a list of them.
    menu: Option<Rc<Menu>>,
    worker: Worker,
    kept: Option<Kept>,
    runs: Runs,
    background: Background,
    time_machine: TimeMachine,
    held_out: Judging,
    positions: Positions,
    /// Is the recorded run's header still to come? A live run waits for its settings.
    awaits_replay: bool,
    /// Has the reader wanted anything of the engine, or a script for her?
    is_used: bool,
    controls: Controls,
    surgery: Surgery,
    screen: Screen,
    speech: Speech,
    notices: Notices,
    lab: Shared<Lab>,
    in_step: TextsInStep,
    /// What the run on the screen is to be compared with, until both are there.
    #[cfg(feature = "page")]
    to_compare: Option<Against>,
    #[cfg(feature = "page")]
    course: course::Course,
    derived: Derived,
}

impl State {
    /// The state at the moment of mounting, and what is to be done first. Bad attributes are reported at once.
    pub fn new(config: Config, errors: Vec<UserError>) -> (State, Vec<Effect>) {
        let mut state = State {
            menu: None,
            worker: Worker::new(config.backend, config.activate()),
            kept: None,
            runs: Runs::default(),
            background: Background::default(),
            time_machine: TimeMachine::default(),
            held_out: Judging::default(),
            positions: Positions::default(),
            awaits_replay: true,
            is_used: false,
            controls: Controls::new(&config.overrides),
            surgery: Surgery::default(),
            screen: Screen::default(),
            speech: Speech::default(),
            notices: Notices::default(),
            lab: Shared::new(Lab::new(config.experiment)),
            in_step: TextsInStep::of(config.batch.as_deref()),
            #[cfg(feature = "page")]
            to_compare: config.against.clone(),
            #[cfg(feature = "page")]
            course: course::Course::default(),
            derived: Derived::default(),
            config,
        };
        let mut effects = vec![Effect::FetchReplay];
        if state.engine().is_expected() {
            effects.push(Effect::StartEngine);
        }
        #[cfg(feature = "page")]
        effects.extend(state.config.lesson.clone().map(Effect::FetchLesson));
        state.screen.seek(state.config.place);
        state.screen.depth = state.config.depth;
        state.screen.method = state.config.method;
        state.screen.lab_factor = state.config.lab_factor;
        state.screen.moment = state.config.moment;
        state.screen.micro_step = state.config.micro_step.unwrap_or_default();
        let theme = state.config.theme;
        state.screen.set_theme(theme, &mut effects);
        state.speech.take(state.config.language, state.config.own_language, &mut effects);
        state.notices.notify_attributes(errors, &mut effects);
        (state, effects)
    }

    /// The attributes, as far as the menu has not changed them since.
    pub fn config(&self) -> &Config {
        &self.config
    }

    pub fn engine(&self) -> &Engine {
        &self.worker.engine
    }

    /// What the browser keeps of models, once a worker has said it.
    pub fn kept(&self) -> Option<&Kept> {
        self.kept.as_ref()
    }

    /// The engine's model and backend, also while a failed worker is being replaced.
    pub fn model(&self) -> Option<&Rc<ModelInfo>> {
        self.worker.loaded().map(|loaded| &loaded.model)
    }

    pub fn backend(&self) -> Option<&Rc<BackendInfo>> {
        self.worker.loaded().map(|loaded| &loaded.backend)
    }

    /// The model that is being loaded while the engine goes on with another.
    pub fn next(&self) -> Option<&Next> {
        self.worker.next.as_ref()
    }

    /// How far engine and model have come that are on their way, be it beside an engine that works.
    pub fn waiting(&self) -> Option<Waiting> {
        let progress = match (self.next(), self.engine()) {
            (Some(next), _) => next.progress.as_ref()?,
            (None, Engine::Loading(progress)) => progress,
            _ => return None,
        };
        Some(progress.waiting(self.wanted().map(|choice| choice.entry.download_bytes)))
    }

    pub fn settings(&self) -> &Settings {
        &self.controls.settings
    }

    /// What the reader changed inside the model, step by step.
    pub fn surgery(&self) -> &Surgery {
        &self.surgery
    }

    pub fn runs(&self) -> &Runs {
        &self.runs
    }

    /// The runs of comparisons.
    pub fn background(&self) -> &Background {
        &self.background
    }

    /// Does the engine owe an answer? Only then may its silence be held against it.
    pub fn owes_answer(&self) -> bool {
        self.engine().owes_answer() || self.background.is_working() || self.time_machine.is_posted()
    }

    pub fn on_screen(&self) -> Option<&Shared<Recording>> {
        self.runs.on_screen()
    }

    /// The run that the one on the screen is compared with.
    pub fn against(&self) -> Option<&Shared<Recording>> {
        self.runs.against()
    }

    /// The run that began last.
    pub fn latest(&self) -> Option<&Shared<Recording>> {
        self.runs.latest()
    }

    pub fn screen(&self) -> &Screen {
        &self.screen
    }

    /// The language of every sentence, and the one that was asked for.
    pub fn speech(&self) -> Speech {
        self.speech
    }

    pub fn selection(&self) -> Selection {
        self.screen.selection
    }

    pub fn playback(&self) -> Playback {
        self.screen.playback
    }

    pub fn notice(&self) -> Option<&Notice> {
        self.notices.notice()
    }

    pub fn lab(&self) -> &Shared<Lab> {
        &self.lab
    }

    pub fn scene(&self) -> Option<&Shared<Scene>> {
        self.derived.scene()
    }

    pub fn change(&self) -> Option<&Shared<Change>> {
        self.derived.change()
    }

    /// The text of the run on the screen under several overflow policies.
    pub fn policy_lab(&self) -> Option<&Shared<PolicyLab>> {
        self.derived.policy_lab()
    }

    /// What the lost requests of the text on the screen cost, once it was computed.
    pub fn drops(&self) -> Option<&Shared<Drops>> {
        self.derived.drops()
    }

    /// The texts of the panel `batch` in step, once they were run.
    pub fn in_step(&self) -> Option<&Shared<InStep>> {
        self.derived.in_step()
    }

    /// The kept runs by name, oldest first.
    pub fn history(&self) -> &[Entry] {
        self.derived.history()
    }

    /// The run on the screen and the one that it is compared with, once both have ended.
    pub fn pair(&self) -> Option<&Shared<Pair>> {
        self.derived.pair()
    }

    /// Where requests are turned away, over all runs with the routing of the one on the screen.
    pub fn by_position(&self) -> Option<&Shared<ByPosition>> {
        self.derived.by_position()
    }

    /// The experts of the selected layer by what asks them.
    pub fn experts(&self) -> Option<&Shared<Experts>> {
        self.derived.experts()
    }

    /// Findings of the literature, tried on the text of runs that have ended.
    pub fn findings(&self) -> Option<&Shared<Findings>> {
        self.derived.findings()
    }

    /// The text on the screen as the gates of earlier moments of the training would route it, once that was asked for.
    pub fn moments(&self) -> Option<&Shared<Moments>> {
        self.derived.moments()
    }

    /// What the loss becomes without the expert whose page is open, once it was computed.
    pub fn muting(&self) -> Option<&Shared<Muting>> {
        self.derived.muting()
    }

    pub fn what_if(&self) -> Option<&Shared<SceneLayer>> {
        self.derived.what_if()
    }

    /// The method that is tried, and what came of it.
    pub fn tried(&self) -> Option<&Shared<Tried>> {
        self.derived.tried()
    }

    /// What the next worker is to run on.
    pub fn backend_to_load(&self) -> BackendChoice {
        self.worker.backend_to_load(self.config.backend)
    }

    /// Does this run come from the engine as it stands now? Its speed is then the engine's.
    pub fn is_by_engine(&self, recording: &Recording) -> bool {
        let source = self.worker.loaded().map(|loaded| loaded.source());
        source == Some(recording.source) && self.foreign_model(recording).is_none()
    }

    pub fn is_running(&self) -> bool {
        self.engine().job().is_some()
    }

    pub fn is_stopping(&self) -> bool {
        self.engine().job().is_some_and(|job| job.stopping)
    }

    /// The run that was asked for and has no step yet.
    pub fn coming(&self) -> Option<Recording> {
        let Engine::Ready { loaded, job: Some(job) } = self.engine() else { return None };
        self.runs.get(job.request.run).is_none().then(|| loaded.recording(job.request.clone()))
    }

    /// The menu, unless nothing can be loaded.
    pub fn menu(&self) -> Option<&Rc<Menu>> {
        self.menu.as_ref().filter(|_| self.config.backend != BackendChoice::Recorded)
    }

    /// The entry of the model that is loaded or wanted.
    pub fn wanted(&self) -> Option<&Choice> {
        self.menu.as_ref().and_then(|menu| menu.find(&self.config.manifest_url))
    }

    /// The name of the model that a run is of, where the reader might think it is of another one.
    pub fn foreign_model<'a>(&self, recording: &'a Recording) -> Option<&'a str> {
        let of_run = &recording.model;
        let is_foreign = match self.model() {
            Some(loaded) => !models::are_same(loaded, of_run) || self.next().is_some(),
            None => self.config.model.is_some() && self.config.backend != BackendChoice::Recorded,
        };
        is_foreign.then_some(of_run.name.as_str())
    }

    /// The routing the model in question was trained with: the engine's or, without one, that of the latest run.
    pub fn trained_routing(&self) -> RoutingSpec {
        let model = self.model().or_else(|| self.latest().map(|latest| &latest.model));
        model.map_or_else(RoutingSpec::default, |model| model.trained_routing)
    }

    /// The routing that the controls ask for.
    pub fn routing(&self) -> RoutingSpec {
        self.settings().routing(&self.trained_routing())
    }

    /// Do the controls ask for another routing than the run on the screen had, or for other changes inside the model? They
    /// say nothing about a run of another model than theirs.
    pub fn settings_differ_from_shown(&self) -> bool {
        let Some(shown) = self.on_screen() else { return false };
        let is_of_another = self.model().is_some_and(|model| !models::are_same(model, &shown.model));
        let wanted = (self.routing(), self.settings().group);
        let is_same_routing = (shown.request.routing, shown.request.group) == wanted;
        !(is_of_another || is_same_routing && self.is_same_inside(shown))
    }

    /// Do the controls ask for the changes inside the model that this run had?
    pub fn is_same_inside(&self, run: &Recording) -> bool {
        *self.settings().interventions == *run.request.interventions
    }

    /// What stands between the prompt and a run. Its length counts in tokens, where the engine told them.
    pub fn prompt_problem(&self) -> Option<PromptProblem> {
        let of_tokens = self.prompt_tokens().filter(|(num_tokens, max_tokens)| num_tokens > max_tokens);
        let too_many =
            of_tokens.map(|(num_tokens, max_tokens)| PromptProblem::TooManyTokens { num_tokens, max_tokens });
        self.settings().prompt_problem().or(too_many)
    }

    /// The tokens of the prompt and those that the model sees at most, where the engine counted them.
    pub fn prompt_tokens(&self) -> Option<(u32, u32)> {
        Some((self.controls.prompt_tokens()?, self.model()?.max_tokens))
    }

    /// What stands between the controls and the picture; empty where they agree.
    pub fn rerun_status(&self) -> Cow<'static, str> {
        match self.engine() {
            Engine::Ready { job: Some(job), .. } if self.runs.get(job.request.run).is_none() => {
                say!("Re-run under way …")
            }
            _ if !self.settings_differ_from_shown() => Cow::default(),
            Engine::Held => say!("Run re-runs the model; the rest shows the recorded run."),
            Engine::Starting | Engine::Loading(_) => say!("The model is re-run as soon as the engine is ready."),
            Engine::Absent | Engine::Failed(_) => {
                say!("The model can only be re-run with an engine; the rest shows the recorded run.")
            }
            Engine::Ready { .. } if self.controls.is_refused() => {
                say!("This could not be run; the picture is of the run before.")
            }
            Engine::Ready { .. } => say!("Re-run …"),
        }
    }

    /// What stands on the screen, as attributes say it; `trained` is [`State::trained_routing`].
    pub fn shown<'a>(&'a self, trained: &'a RoutingSpec) -> Shown<'a> {
        let Selection { token, layer, expert, .. } = self.selection();
        let place = self.scene().map(|scene| Place {
            step: Some(scene.step as u32),
            layer: Some(layer as u32),
            token: Some(token as u32),
            expert: expert.map(|expert| expert as u32),
        });
        Shown {
            view: Some(&self.config.view).filter(|view| **view != View::Full),
            model: self.config.model.as_deref(),
            trace: self.config.trace_url.as_deref(),
            settings: self.settings(),
            defaults: self.controls.defaults(),
            trained,
            depth: self.screen.depth,
            method: self.screen.method,
            theme: self.screen.theme,
            language: self.speech.asked(),
            #[cfg(feature = "page")]
            against: self.told_against(trained),
            batch: self.in_step.texts.as_deref(),
            lab_factor: self.screen.lab_factor,
            moment: self.screen.moment,
            place: place.unwrap_or(self.config.place),
            experiment: self.lab.experiment,
            micro_step: self.screen.micro_step,
            lesson: self.config.lesson.as_deref(),
        }
    }

    fn num_steps(&self) -> usize {
        self.on_screen().map_or(0, |run| run.steps.len())
    }

    fn extent(&self) -> Option<Extent> {
        self.on_screen()?;
        let step = self.scene().map_or(0, |scene| scene.step);
        Some(Extent { step, num_steps: self.num_steps(), grows: self.is_running() })
    }
}
