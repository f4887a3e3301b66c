//! The runs the page keeps, which one is on the screen, and which one it is compared with.

use moe_trace::{FinishReason, RunId, SentStep};

use crate::run::recording::Recording;
use crate::run::shared::Shared;

/// So many runs are kept at most, for a list that can be read.
const MAX_KEPT: usize = 8;

/// So many rows (a token in a layer, in a step) of all runs together: about 25 megabytes. Long runs leave sooner.
const MAX_ROWS: usize = 200_000;

/// Runs in the order in which they began. What is on the screen, and what it is compared with, are two of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Runs {
    /// Oldest first; no two have the same number.
    kept: Vec<Shared<Recording>>,
    /// A kept run, unless there is none.
    on_screen: Option<RunId>,
    /// Another kept run.
    against: Option<RunId>,
}

impl Runs {
    pub fn kept(&self) -> &[Shared<Recording>] {
        &self.kept
    }

    pub fn get(&self, run: RunId) -> Option<&Shared<Recording>> {
        self.kept.iter().find(|kept| kept.run() == run)
    }

    pub fn on_screen(&self) -> Option<&Shared<Recording>> {
        self.on_screen.and_then(|run| self.get(run))
    }

    /// The run that the one on the screen is compared with.
    pub fn against(&self) -> Option<&Shared<Recording>> {
        self.against.and_then(|run| self.get(run))
    }

    /// The run that began last: the one that the controls describe, or are about to change.
    pub fn latest(&self) -> Option<&Shared<Recording>> {
        self.kept.last()
    }

    /// Is the run on the screen the earlier one of the two that are compared?
    pub fn is_flipped(&self) -> bool {
        let place = |number: Option<RunId>| self.kept.iter().position(|kept| Some(kept.run()) == number);
        self.against.is_some() && place(self.on_screen) < place(self.against)
    }

    /// Is a run on the screen that is not the latest?
    pub fn looks_back(&self) -> bool {
        self.on_screen != self.latest().map(|latest| latest.run())
    }

    /// Swaps the run on the screen with the one that it is compared with (A/B).
    pub fn flip(&mut self) {
        if self.against.is_some() {
            std::mem::swap(&mut self.on_screen, &mut self.against);
        }
    }

    /// Puts a kept run on the screen. It stays compared with the same one; with the one that leaves, if that was itself.
    pub fn show(&mut self, run: RunId) {
        if self.against == Some(run) {
            self.flip();
        } else if self.get(run).is_some() {
            self.on_screen = Some(run);
        }
    }

    /// Compares the run on the screen with another kept one.
    pub fn compare_with(&mut self, run: RunId) {
        if self.on_screen != Some(run) && self.get(run).is_some() {
            self.against = Some(run);
        }
    }

    /// Compares the run on the screen with another that may be none of the kept ones yet, and stands before it or behind
    /// it. Where it was recorded too, it takes that one's place.
    pub fn stand_beside(&mut self, other: Shared<Recording>, is_later: bool) {
        let Some(on_screen) = self.on_screen.filter(|&run| run != other.run()) else { return };
        let place = |kept: &[Shared<Recording>], run: RunId| kept.iter().position(|kept| kept.run() == run);
        let known = place(&self.kept, other.run()).map(|at| Some(at) > place(&self.kept, on_screen));
        if known != Some(is_later) {
            let is_repeated =
                |kept: &Recording| kept.run() == other.run() || !kept.is_live() && kept.same_request(&other);
            self.kept.retain(|kept| kept.run() == on_screen || !is_repeated(kept));
            let at = place(&self.kept, on_screen).map_or(self.kept.len(), |at| at + usize::from(is_later));
            self.kept.insert(at, other.clone());
        }
        self.against = Some(other.run());
        self.leave_oldest();
    }

    /// Compares the run on the screen with no other one.
    pub fn stand_alone(&mut self) {
        self.against = None;
    }

    /// Puts a run on the screen that has just begun, beside the latest one so far. Of that nothing remains where it has no
    /// steps, or was the same request: the same again, now live, is not "before".
    pub fn begin(&mut self, run: Recording) {
        if let Some(before) = self.kept.last() {
            let number = before.run();
            if before.steps.is_empty() || before.same_request(&run) {
                self.against = [self.against, self.on_screen].into_iter().flatten().find(|&other| other != number);
                self.kept.pop();
            } else {
                self.against = Some(number);
            }
        }
        self.on_screen = Some(run.run());
        self.kept.push(Shared::new(run));
        self.leave_oldest();
    }

    /// No more is kept than there is room for.
    fn leave_oldest(&mut self) {
        let is_needed = |kept: &Recording| [self.on_screen, self.against].contains(&Some(kept.run()));
        let is_too_much = |kept: &[Shared<Recording>]| {
            kept.len() > MAX_KEPT || kept.iter().map(|kept| kept.num_rows()).sum::<usize>() > MAX_ROWS
        };
        while is_too_much(&self.kept)
            && let Some(oldest) = self.kept.iter().position(|kept| !is_needed(kept))
        {
            self.kept.remove(oldest);
        }
    }

    /// Puts a recorded run on the screen in the place of the one before; there is no live one.
    pub fn replace_recorded(&mut self, run: Shared<Recording>) {
        *self = Runs { on_screen: Some(run.run()), against: None, kept: vec![run] };
    }

    /// Adds a step to the run it belongs to. A run that is over, or not kept, takes none.
    pub fn add_step(&mut self, step: impl Into<SentStep>, elapsed_ms: Option<f32>) -> bool {
        let step: SentStep = step.into();
        let Some(kept) = self.kept.iter_mut().find(|kept| kept.run() == step.run()) else { return false };
        let Some(longer) = kept.with_step(step, elapsed_ms) else { return false };
        *kept = Shared::new(longer);
        true
    }

    pub fn finish(&mut self, run: RunId, reason: FinishReason) {
        self.finish_all(reason, |kept| kept.run() == run);
    }

    /// Whatever the engine might still send for the runs so far is stale.
    pub fn end_live(&mut self) {
        self.finish_all(FinishReason::Stopped, Recording::is_live);
    }

    /// A recorded run takes no more steps: another one is coming, under the same number.
    pub fn end_recorded(&mut self) {
        self.finish_all(FinishReason::Stopped, |kept| !kept.is_live());
    }

    fn finish_all(&mut self, reason: FinishReason, which: impl Fn(&Recording) -> bool) {
        for kept in self.kept.iter_mut().filter(|kept| kept.finished.is_none() && which(kept)) {
            *kept = Shared::new(kept.finished(reason));
        }
    }
}
