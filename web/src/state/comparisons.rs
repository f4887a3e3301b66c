//! What the lab's comparisons ask the engine for, and what of it is there.

use std::borrow::Cow;

use moe_trace::{Overflow, Source};

use crate::run::drops::{self, Drops};
use crate::run::experts::muting::{Muting, Plan};
use crate::run::experts::sample::{self, Sample};
use crate::run::experts::{Experts, open_expert};
use crate::run::findings::{self, Findings, Measured};
use crate::run::in_step::{self, InStep};
use crate::run::policies::{self, PolicyLab};
use crate::run::recording::Recording;
use crate::run::shared::Shared;
use crate::settings::limits::CAPACITY_FACTOR;
use crate::state::background::{EngineKey, Purpose};
use crate::state::{Effect, Engine, State};

impl State {
    /// Why no comparison can be computed now; `None` where one can.
    pub fn cannot_compare(&self) -> Option<Cow<'static, str>> {
        let run = self.on_screen()?;
        match self.engine() {
            Engine::Starting | Engine::Loading(_) => Some(say!("The engine is still loading.")),
            Engine::Held => Some(say!("The engine starts with the first run.")),
            Engine::Absent | Engine::Failed(_) => {
                Some(say!("It takes an engine to run the text again, and there is none."))
            }
            Engine::Ready { .. } if self.foreign_model(run).is_some() => {
                Some(say!("The run on the screen is of another model than the engine's."))
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
        // A figure's module has no panel that compares.
        if !cfg!(feature = "page") || self.cannot_compare().is_some() {
            return;
        }
        let factor = self.lab_factor();
        let Some(run) = self.on_screen() else { return };
        let texts = self.held_out.texts().cloned();
        let sample = || Sample::of(&self.sampled_runs(), Some(run), texts.as_deref());
        let muting = || sample().and_then(|sample| self.muting_plan(&sample));
        let requests = match purpose {
            Purpose::Policies => policies::requests(run, factor),
            Purpose::Drops => drops::requests(run),
            Purpose::InStep => in_step::requests(run, &self.texts_in_step()),
            Purpose::MoreText => sample::requests(run),
            Purpose::HeldOut => texts.as_ref().map_or_else(Vec::new, |texts| texts.requests(run)),
            Purpose::Muting => muting().map_or_else(Vec::new, |plan| plan.requests()),
            Purpose::Findings => sample().map_or_else(Vec::new, |sample| findings::requests(&sample)),
            #[cfg(feature = "page")]
            Purpose::Against => self.other_request().into_iter().collect(),
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

    pub(super) fn in_step_of(&self, run: &Recording, engine: &EngineKey, texts: &[String]) -> Option<InStep> {
        InStep::of(run, texts, |request| self.background.result(engine, request).cloned())
    }

    /// The runs that experts are judged by, all of the engine whose results are shown: that on the screen, or while it
    /// is under way the last one that is over; the longer texts; and kept runs that were routed alike.
    pub(super) fn sampled_runs(&self) -> Vec<Shared<Recording>> {
        let Some(engine) = self.comparing_engine() else { return Vec::new() };
        let is_whole = |run: &&Shared<Recording>| run.finished.is_some() && !run.steps.is_empty() && engine.is_of(run);
        let kept = || self.runs().kept().iter().rev().filter(is_whole);
        let Some(first) = self.on_screen().filter(is_whole).or_else(|| kept().next()) else { return Vec::new() };
        if let Some(texts) = self.held_out.chosen() {
            let of_texts =
                self.background.kept().iter().filter(|run| engine.is_of(run) && texts.is_run_like(run, first));
            let of_texts: Vec<Shared<Recording>> = of_texts.cloned().collect();
            // Until the first of them is there, the reader's own runs are.
            if !of_texts.is_empty() {
                return of_texts;
            }
        }
        let longer =
            self.background.kept().iter().filter(|run| engine.is_of(run) && sample::is_longer_text(run, first));
        let others = kept().filter(|run| run.request != first.request && sample::is_like(run, first));
        std::iter::once(first).chain(longer).chain(others).cloned().collect()
    }

    /// Was all of the held-out text run as the run on the screen was?
    pub fn is_held_out_whole(&self) -> bool {
        let asked = self.held_out.chosen().zip(self.on_screen()).zip(self.comparing_engine());
        asked.is_some_and(|((texts, run), engine)| {
            texts.requests(run).iter().all(|request| self.background.result(&engine, request).is_some())
        })
    }

    /// Whose page is open: an expert of the selected layer.
    fn open_expert(&self) -> usize {
        let selection = self.selection();
        let layer = self.scene().and_then(|scene| scene.layers.get(selection.layer));
        layer.map_or(0, |layer| open_expert(layer, selection.token, selection.expert))
    }

    fn muting_plan(&self, sample: &Sample) -> Option<Plan> {
        Plan::of(sample, self.selection().layer, self.open_expert())
    }

    pub(super) fn findings_of(
        &self,
        sample: &Shared<Sample>,
        measured: &Shared<Measured>,
        engine: &EngineKey,
    ) -> Findings {
        Findings::of(sample, measured, |request| self.background.result(engine, request).cloned())
    }

    pub(super) fn muting_of(&self, experts: &Experts, expert: usize, engine: &EngineKey) -> Option<Muting> {
        let plan = Plan::of(&experts.sample, experts.layer, expert)?;
        Muting::of(&plan, &experts.sample, |request| self.background.result(engine, request).cloned())
    }
}
