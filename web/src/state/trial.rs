//! WebGPU, which is tried beside the CPU: where it does as well, it takes the engine's place between two runs.
//!
//! It is fetched when the engine has nothing to do, and for a figure only once its reader has done something: it is large.

use std::mem;
use std::rc::Rc;

use moe_trace::{BackendChoice, BackendInfo, Event, ModelInfo, UserError};

use crate::settings::view::View;
use crate::state::engine::Loaded;
use crate::state::{Action, Effect, Engine, State};

/// Where the trial stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Trial {
    /// There is nothing to try, or it was tried.
    #[default]
    None,
    /// The engine says that this browser has WebGPU.
    Offered,
    /// Another worker is at it.
    UnderWay,
    /// It is ready to take the engine's place.
    Passed(Box<(ModelInfo, BackendInfo)>),
}

impl Trial {
    /// Is there a worker for it?
    fn has_worker(&self) -> bool {
        matches!(self, Trial::UnderWay | Trial::Passed(_))
    }

    /// Whoever is at it makes way for something else, and may try again later.
    pub(super) fn put_off(&mut self) {
        if self.has_worker() {
            *self = Trial::Offered;
        }
    }

    /// Ends whoever is at it, too.
    pub(super) fn end(&mut self, effects: &mut Vec<Effect>) {
        if mem::take(self).has_worker() {
            effects.push(Effect::EndNext);
        }
    }
}

impl Action {
    /// Does the reader want something of the engine?
    pub(super) fn uses_engine(&self) -> bool {
        matches!(self, Action::Run { .. } | Action::Set(_) | Action::LetGo | Action::ChooseModel { .. })
    }
}

impl State {
    /// The engine was free to choose, and the browser may have another rung.
    pub(super) fn on_offered(&mut self) {
        if self.backend_to_load() == BackendChoice::Auto && self.worker.trial == Trial::None {
            self.worker.trial = Trial::Offered;
        }
    }

    /// Goes on with the trial while nobody needs the engine.
    pub(super) fn go_on_with_trial(&mut self, effects: &mut Vec<Effect>) {
        let is_idle = matches!(&self.worker.engine, Engine::Ready { job: None, .. });
        let is_needed = self.background.is_under_way() || self.awaits_replay || self.controls.is_moving();
        if !is_idle || is_needed || self.next().is_some() {
            return;
        }
        match mem::take(&mut self.worker.trial) {
            Trial::Offered if self.is_used || self.config.view == View::Full => {
                self.worker.trial = Trial::UnderWay;
                effects.push(Effect::StartTrial);
            }
            // Numbers of another device are not compared with these, which would go from the screen.
            passed @ Trial::Passed(_) if self.background.was_asked() => {
                self.worker.trial = passed;
                let why = say!("WebGPU does as well, and comparisons were made on the CPU meanwhile");
                self.decline(why.into_owned(), effects);
            }
            Trial::Passed(ready) => {
                let (model, backend) = *ready;
                self.worker.change_places(model, backend, effects);
                // The worker that was asked is no more.
                self.controls.forget_count();
                if let Some(source) = self.worker.loaded().map(Loaded::source) {
                    self.worker.announce(source, None, effects);
                }
            }
            other => self.worker.trial = other,
        }
    }

    /// What the worker says that tries it.
    pub(super) fn on_trial_event(&mut self, event: Event, effects: &mut Vec<Effect>) {
        match event {
            Event::Ready { model, backend } => {
                self.worker.trial = Trial::Passed(Box::new((model, backend)));
            }
            Event::Declined { why } => self.decline(why, effects),
            Event::Failed { error, .. } | Event::Unstartable(error) => self.trial_failed(&error, effects),
            // Nobody waits for it, so its progress is nobody's business.
            _ => {}
        }
    }

    pub(super) fn trial_failed(&mut self, error: &UserError, effects: &mut Vec<Effect>) {
        let why = error.why.trim_end_matches('.');
        self.decline(say!("WebGPU was tried and failed ({why})", why), effects);
    }

    /// The CPU goes on, and this is why.
    pub(super) fn decline(&mut self, why: String, effects: &mut Vec<Effect>) {
        self.worker.trial.end(effects);
        if let Engine::Ready { loaded, .. } = &mut self.worker.engine {
            Rc::make_mut(&mut loaded.backend).why = why;
        }
    }

    /// Does a worker try WebGPU?
    pub(super) fn is_trying(&self) -> bool {
        self.worker.trial.has_worker()
    }
}
