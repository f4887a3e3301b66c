//! Everything the page knows, as one value. It changes only in [`State::apply`].

pub mod action;
mod apply;
mod effects;
mod engine_events;
#[cfg(test)]
mod failure_tests;
pub mod keyboard;
#[cfg(test)]
mod model_tests;
pub mod replay;
#[cfg(test)]
mod replay_tests;
mod replaying;
mod selecting;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use moe_trace::{BackendChoice, BackendInfo, ModelInfo, RoutingSpec, RunId, Source, UserError};

pub use action::{Action, Motion, Theme};
pub use effects::{Effect, effects};

use crate::run::compare::Change;
use crate::run::recording::Recording;
use crate::run::scene::{Scene, SceneLayer};
use crate::run::shared::Shared;
use crate::settings::attributes::Config;
use crate::settings::models::{self, Choice, Menu};
use crate::settings::view::PanelName;
use crate::settings::{Setting, Settings};

#[derive(Debug, Clone, PartialEq)]
pub struct State {
    pub config: Config,
    pub settings: Settings,
    pub phase: Phase,
    /// The engine's model and backend, once it is ready.
    pub model: Option<Rc<ModelInfo>>,
    pub backend: Option<Rc<BackendInfo>>,
    /// The models there are to choose from, where the site has a list of them.
    pub menu: Option<Rc<Menu>>,
    /// The run on the screen, the run before it, and a run that was asked for and has no step yet.
    pub shown: Option<Shared<Recording>>,
    pub previous: Option<Shared<Recording>>,
    pub coming: Option<Shared<Recording>>,
    /// Is the run before on the screen instead (A/B)?
    pub flipped: bool,
    pub playback: Playback,
    pub selection: Selection,
    pub notice: Option<Notice>,
    pub chrome: Chrome,
    /// Derived: what the shown run looks like at the playback's step, and how it compares with the run before.
    pub scene: Option<Shared<Scene>>,
    pub change: Option<Shared<Change>>,
    /// Derived: the selected layer under the controls' routing, while they ask for another than the shown run had.
    pub what_if: Option<Shared<SceneLayer>>,
    internals: Internals,
}

/// Where the engine stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// The page's author asked for the recorded run only.
    Recorded,
    Starting,
    Loading {
        loaded_bytes: u32,
        total_bytes: u32,
        from_cache: bool,
    },
    Idle,
    Running(RunId),
    /// The engine was given up; the recorded run remains.
    Failed(UserError),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Playback {
    pub cursor: Cursor,
    pub playing: bool,
    /// Times the natural pace.
    pub speed: f32,
}

/// Which step of the shown run is on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cursor {
    Step(usize),
    /// Whichever came last.
    Latest,
}

/// One selection that all views share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Selection {
    pub token: usize,
    pub layer: usize,
    pub expert: Option<usize>,
    /// Does the selection move on with the newest token?
    pub follows: bool,
}

/// Something the reader must be told. Errors also become `moe-error` events.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    pub message: UserError,
    pub is_error: bool,
    /// Is it over as soon as a live step arrives?
    pub until_step: bool,
    pub serial: u32,
}

/// The page's own furniture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Chrome {
    pub theme: Theme,
    /// The panel whose tab is in front, on narrow screens.
    pub tab: PanelName,
    pub help_open: bool,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct Internals {
    /// Has anybody but the recorded run decided on the settings?
    settled: bool,
    /// Has the recorded run's header arrived, or failed to?
    replay_settled: bool,
    /// Counts changes of the recorded run's address.
    replay_generation: u32,
    next_run: u32,
    /// Counts workers; each needs one of its own.
    engine_generation: u32,
    /// Failures in a row, without a run that came to its end or was asked for between them.
    restarts: u32,
    /// Why the engine runs on the CPU although the choice is the page's own and there is a GPU.
    gpu_failed: Option<String>,
    rerun_ticket: u32,
    /// The re-run that the latest run stands for: a control moved before it is part of it.
    served_ticket: u32,
    /// The model whose routing the controls were last set to.
    routed_for: Option<Rc<ModelInfo>>,
    /// Controls of the routing that were moved while there was no model, latest last.
    touched: Vec<Setting>,
    /// How often a model was chosen from the menu.
    choices: u32,
    /// Attribute values that cannot be used, as last reported.
    attribute_errors: Vec<moe_trace::UserError>,
    stopping: Option<RunId>,
    notices: u32,
    /// The source that `moe-ready` last announced.
    announced: Option<Source>,
}

/// How often a failing engine is started again before the page gives up.
pub const MAX_RESTARTS: u32 = 2;

impl State {
    /// The state at the moment of mounting. Bad attributes are reported at once.
    pub fn new(config: Config, errors: Vec<UserError>) -> State {
        let wants_engine = config.backend != BackendChoice::Recorded;
        let settings = Settings::default().with(&config.overrides);
        let mut state = State {
            config,
            settings,
            phase: if wants_engine { Phase::Starting } else { Phase::Recorded },
            model: None,
            backend: None,
            menu: None,
            shown: None,
            previous: None,
            coming: None,
            flipped: false,
            playback: Playback { cursor: Cursor::Step(0), playing: false, speed: 1.0 },
            selection: Selection::default(),
            notice: None,
            chrome: Chrome::default(),
            scene: None,
            change: None,
            what_if: None,
            internals: Internals { next_run: 1, engine_generation: u32::from(wants_engine), ..Internals::default() },
        };
        for error in &errors {
            state.tell(error.clone(), true);
        }
        state.internals.attribute_errors = errors;
        state
    }

    /// Can the model be run again, now or as soon as it is loaded?
    pub fn has_engine(&self) -> bool {
        !matches!(self.phase, Phase::Recorded | Phase::Failed(_))
    }

    /// What the next worker is to run on.
    pub fn backend_to_load(&self) -> BackendChoice {
        match self.config.backend {
            BackendChoice::Auto if self.internals.gpu_failed.is_some() => BackendChoice::Cpu,
            // Nothing is loaded then.
            BackendChoice::Recorded => BackendChoice::Auto,
            choice => choice,
        }
    }

    /// Does this run come from the engine as it stands now? Its speed is then the engine's.
    pub fn is_by_engine(&self, recording: &Recording) -> bool {
        let source = self.backend.as_ref().map(|backend| engine_events::source_of(backend));
        source == Some(recording.source) && self.foreign_model(recording).is_none()
    }

    pub fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Running(_))
    }

    pub fn is_stopping(&self) -> bool {
        matches!(self.phase, Phase::Running(run) if self.internals.stopping == Some(run))
    }

    /// The run on the screen.
    pub fn on_screen(&self) -> Option<&Shared<Recording>> {
        if self.flipped { self.previous.as_ref() } else { self.shown.as_ref() }
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
        let is_foreign = match &self.model {
            Some(loaded) => !models::are_same(loaded, of_run),
            None => self.config.model.is_some() && self.config.backend != BackendChoice::Recorded,
        };
        is_foreign.then_some(of_run.name.as_str())
    }

    /// The routing the model in question was trained with.
    pub fn trained_routing(&self) -> Option<&RoutingSpec> {
        let model = self.model.as_ref().or_else(|| self.shown.as_ref().map(|shown| &shown.model));
        model.map(|model| &model.trained_routing)
    }

    /// Do the controls ask for another routing than the shown run had? They say nothing about a run of another model
    /// than theirs.
    pub fn settings_differ_from_shown(&self) -> bool {
        let Some(shown) = &self.shown else { return false };
        let is_of_another = self.model.as_ref().is_some_and(|model| !models::are_same(model, &shown.model));
        let wanted = (self.settings.routing(self.trained_routing()), self.settings.group);
        !is_of_another && (shown.request.routing, shown.request.group) != wanted
    }

    /// What stands between the controls and the picture; empty where they agree.
    pub fn rerun_status(&self) -> &'static str {
        match self.phase {
            Phase::Running(_) if self.coming.is_some() => "Re-run under way …",
            _ if !self.settings_differ_from_shown() => "",
            Phase::Starting | Phase::Loading { .. } => "The model is re-run as soon as the engine is ready.",
            Phase::Recorded | Phase::Failed(_) => {
                "The model can only be re-run with an engine; the rest shows the recorded run."
            }
            Phase::Idle | Phase::Running(_) => "Re-run …",
        }
    }

    fn tell(&mut self, message: UserError, is_error: bool) {
        self.internals.notices += 1;
        self.notice = Some(Notice { message, is_error, until_step: false, serial: self.internals.notices });
    }

    /// An error that a working engine makes up for.
    fn tell_until_step(&mut self, message: UserError) {
        self.tell(message, true);
        if let Some(notice) = &mut self.notice {
            notice.until_step = true;
        }
    }
}
