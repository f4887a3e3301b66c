//! What a reader did at a step, held against what stands on the screen, once that is the picture which the step asks for.

use crate::run::observed::{Bars, Observed};
use crate::run::recording::Recording;
use crate::settings::lesson::Task;
use crate::state::{Engine, State};
use crate::words::{lesson as words, tongue};

impl State {
    /// The moment that conditions look at.
    pub fn observed(&self) -> Option<Observed<'_>> {
        let scene = self.scene()?;
        let selection = self.selection();
        let what_if = self.what_if().map(|layer| &**layer);
        let routing = if what_if.is_some() { self.routing() } else { scene.recording.request.routing };
        let (layer, token, expert) = (selection.layer, selection.token, selection.expert);
        Some(Observed { scene, what_if, routing, layer, token, expert })
    }

    /// The bars that are to be guessed, or were.
    pub fn bars(&self) -> Option<Bars> {
        match &self.course.step()?.task {
            Task::Predict(predicted) => self.observed()?.bars(*predicted),
            Task::None | Task::Ask(_) => None,
        }
    }

    /// Why the picture is not yet the one that the step asks for, to be translated where it is said.
    pub fn why_not_yet(&self) -> Option<&'static str> {
        let is_loading = matches!(self.engine(), Engine::Starting | Engine::Loading(_));
        let is_working = self.is_running() || self.controls.is_moving() || self.course.pending.is_some();
        let is_shown = self.on_screen().is_some_and(|run| self.is_asked_for(run));
        match self.scene() {
            None => Some(words::NO_RUN),
            Some(_) if is_working => Some(words::WORKING),
            Some(_) if self.next().is_some() => Some(words::LOADING),
            Some(_) if self.course.lacks_model => Some(words::NO_MODEL),
            Some(_) if is_shown => None,
            Some(_) if is_loading => Some(words::LOADING),
            Some(_) if self.engine().is_ready() => Some(words::NOT_RUN),
            Some(_) => Some(words::NO_ENGINE),
        }
    }

    /// Is this the run that the settings ask for, as far as the step and the layer on the screen go?
    fn is_asked_for(&self, run: &Recording) -> bool {
        let mut asked = self.settings().request(run.request.run, &self.trained_routing());
        // A longer run has the same beginning.
        asked.max_new_tokens = run.request.max_new_tokens;
        if self.what_if().is_some() {
            asked.routing = run.request.routing;
        }
        asked == *run.request && self.foreign_model(run).is_none()
    }

    pub(super) fn check(&mut self) {
        let Some(ask) = self.course.ask().filter(|_| !self.course.is_done).cloned() else { return };
        if let Some(why) = self.why_not_yet() {
            self.course.verdict = tongue::translated(why).into_owned();
            return;
        }
        let observed = self.observed();
        let see = |quantity| observed.as_ref()?.see(quantity);
        let missed = ask.expect.iter().find(|condition| !condition.holds(see));
        match missed.map(|condition| condition.missed(see)) {
            None => {
                self.course.verdict = tongue::translated(words::RIGHT).into_owned();
                self.course.is_done = true;
            }
            Some(missed) => {
                let hint = ask.hints.get(self.course.tries).or(ask.hints.last());
                self.course.tries += 1;
                self.course.verdict =
                    hint.map_or(missed.clone(), |hint| format!("{missed} {}", tongue::translated(hint)));
            }
        }
    }

    pub(super) fn reveal(&mut self) {
        if !self.course.covers() {
            return;
        }
        self.course.verdict = match (self.why_not_yet(), self.bars()) {
            (Some(why), _) => tongue::translated(why).into_owned(),
            (None, None) => {
                self.course.is_done = true;
                tongue::translated(words::NOTHING_TO_GUESS).into_owned()
            }
            (None, Some(bars)) => {
                self.course.is_done = true;
                let Some(Task::Predict(predicted)) = self.course.step().map(|step| &step.task) else { return };
                bars.gap(*predicted, &self.course.guess)
            }
        };
    }
}
