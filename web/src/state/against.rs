//! The comparison that a link or an attribute asks for: once the run on the screen is that of the settings, the other one
//! is computed in the background, and stands beside it from then on.

use moe_trace::{RoutingSpec, RunId, RunRequest};

use crate::settings::against::{self, Against};
use crate::settings::models;
use crate::state::background::{End, EngineKey, Purpose, is_same};
use crate::state::{Action, Effect, State};
use crate::words::problems::Problem;

impl State {
    /// The comparison as an attribute says it: the one that is awaited, else that on the screen. Runs of two models, and
    /// those of a model that is not the engine's, are in no attribute.
    pub(super) fn told_against(&self, trained: &RoutingSpec) -> Option<String> {
        if let Some(awaited) = &self.to_compare {
            let ours = self.settings().request(RunId(0), trained);
            return against::text(&ours, &self.other_request()?, awaited.is_later, trained);
        }
        let (other, shown) = self.against().zip(self.on_screen())?;
        if !models::are_same(&other.model, &shown.model) || self.foreign_model(shown).is_some() {
            return None;
        }
        against::text(&shown.request, &other.request, self.runs.is_flipped(), trained)
    }

    /// The other run, as the settings are now.
    pub(super) fn other_request(&self) -> Option<RunRequest> {
        let awaited = self.to_compare.as_ref()?;
        let trained = self.trained_routing();
        Some(self.settings().clone().with(&awaited.settings, &trained).request(RunId(0), &trained))
    }

    /// Another comparison is asked for, or none any more.
    pub(super) fn await_against(&mut self, against: Option<Against>, effects: &mut Vec<Effect>) {
        if self.to_compare != against {
            self.to_compare = against;
            self.background.forget(Purpose::Against, effects);
        }
    }

    /// A reader who sets something, or compares by herself, waits for it no longer.
    pub(super) fn leave_comparison(&mut self, action: &Action, effects: &mut Vec<Effect>) {
        let leaves = match action {
            Action::Set(_)
            | Action::Operate(_)
            | Action::Slide(_)
            | Action::Flip
            | Action::ShowRun(_)
            | Action::CompareWith(_)
            | Action::ChooseModel { .. } => true,
            Action::Run { prompt } => prompt.as_ref().is_some_and(|prompt| *prompt != self.settings().prompt),
            _ => false,
        };
        if leaves {
            self.await_against(None, effects);
        }
    }

    /// Takes the next step to the comparison that is awaited, as soon as one can be taken.
    pub(super) fn go_on_comparing(&mut self, effects: &mut Vec<Effect>) {
        let Some((request, engine)) = self.other_request().zip(self.engine().loaded().map(EngineKey::of)) else {
            return;
        };
        let settings = self.settings().request(RunId(0), &self.trained_routing());
        let is_there = |run: &RunRequest| is_same(run, &settings);
        let shown = self.on_screen().filter(|shown| shown.is_live() && self.foreign_model(shown).is_none());
        if !shown.is_some_and(|shown| is_there(&shown.request)) {
            return;
        }
        if is_there(&request) {
            return self.await_against(None, effects);
        }
        let is_later = self.to_compare.as_ref().is_some_and(|awaited| awaited.is_later);
        let mut kept = self.runs.kept().iter().filter(|run| run.finished.is_some() && engine.is_of(run));
        if let Some(kept) = kept.find(|run| is_same(&run.request, &request)).cloned() {
            self.runs.stand_beside(kept, is_later);
            return self.await_against(None, effects);
        }
        if let Some(other) = self.background.take_whole(&engine, &request) {
            self.positions.count(&other);
            self.runs.stand_beside(other, is_later);
            return self.await_against(None, effects);
        }
        match self.background.progress(Purpose::Against).map(|progress| progress.end) {
            None => self.compare(Purpose::Against),
            Some(None) => {}
            Some(Some(end)) => {
                self.await_against(None, effects);
                if let End::Failed(error) = end {
                    self.notices.notify(Problem::Told(error), effects);
                }
            }
        }
    }
}
