//! What the lab's comparisons ask the engine for, and what of it is there.

use moe_trace::{Overflow, Source};

use crate::run::drops::{self, Drops};
use crate::run::policies::{self, PolicyLab};
use crate::run::recording::Recording;
use crate::run::shared::Shared;
use crate::settings::limits::CAPACITY_FACTOR;
use crate::state::background::{EngineKey, Purpose};
use crate::state::{Effect, Engine, State};

impl State {
    /// Why no comparison can be computed now; `None` where one can.
    pub fn cannot_compare(&self) -> Option<&'static str> {
        let run = self.on_screen()?;
        match self.engine() {
            Engine::Starting | Engine::Loading(_) => Some("The engine is still loading."),
            Engine::Held => Some("The engine starts with the first run."),
            Engine::Absent | Engine::Failed(_) => Some("It takes an engine to run the text again, and there is none."),
            Engine::Ready { .. } if self.foreign_model(run).is_some() => {
                Some("The run on the screen is of another model than the engine's.")
            }
            Engine::Ready { .. } => None,
        }
    }

    /// The capacity factor of the policy lab: the reader's, else that of the run on the screen.
    pub fn lab_factor(&self) -> f32 {
        let of_run = |run: &Shared<Recording>| match run.request.routing.overflow {
            Overflow::Drop(slots) => Some(slots.factor),
            Overflow::Dropless => None,
        };
        let own = self.on_screen().and_then(of_run).unwrap_or(self.settings().capacity_factor);
        self.screen.lab_factor.unwrap_or(own).clamp(*CAPACITY_FACTOR.start(), *CAPACITY_FACTOR.end())
    }

    pub(super) fn compare(&mut self, purpose: Purpose) {
        if self.cannot_compare().is_some() {
            return;
        }
        let factor = self.lab_factor();
        let Some(run) = self.on_screen() else { return };
        let requests = match purpose {
            Purpose::Policies => policies::requests(run, factor),
            Purpose::Drops => drops::requests(run),
        };
        if let Some(loaded) = self.worker.loaded().filter(|_| !requests.is_empty()) {
            self.background.ask(purpose, requests, loaded);
        }
    }

    pub(super) fn stop_comparing(&mut self, purpose: Purpose, effects: &mut Vec<Effect>) {
        self.background.cancel(purpose, effects);
    }

    /// The engine whose results are shown.
    pub(super) fn comparing_engine(&self) -> Option<EngineKey> {
        let of_run = |run: &Shared<Recording>| EngineKey {
            source: run.source,
            weights_sha256: run.model.weights_sha256.clone(),
        };
        self.worker.loaded().map(EngineKey::of).or_else(|| self.on_screen().map(of_run))
    }

    /// Where the numbers of comparisons come from.
    pub fn comparing_source(&self) -> Option<Source> {
        self.comparing_engine().map(|engine| engine.source)
    }

    pub(super) fn policy_lab_of(&self, run: &Shared<Recording>, engine: &EngineKey, factor: f32) -> Option<PolicyLab> {
        PolicyLab::of(run, factor, |request| self.background.result(engine, request).cloned())
    }

    pub(super) fn drops_of(&self, run: &Shared<Recording>, engine: &EngineKey) -> Option<Drops> {
        Drops::of(run, |request| self.background.result(engine, request).cloned())
    }
}
