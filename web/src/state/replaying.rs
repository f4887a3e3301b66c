//! The recorded run: when it comes, when it does not, and when another is asked for.

use moe_trace::{FinishReason, UserError};

use crate::run::recording::RECORDED_RUN;
use crate::run::recording::Recording;
use crate::run::scene::{Scene, TokenFate};
use crate::run::shared::Shared;
use crate::state::{Cursor, Phase, Playback, State};

impl State {
    /// Another recorded run is to be shown. The one before stays until then.
    pub(super) fn change_replay(&mut self) {
        self.internals.replay_generation += 1;
        self.internals.replay_settled = false;
        if !self.has_engine() {
            self.internals.announced = None;
        }
    }

    /// A recorded run stands on the screen before its first step is there; a live run is never replaced by it.
    pub(super) fn replay_began(&mut self, recorded: Shared<Recording>) {
        let nothing_is_live = self.shown.as_ref().is_none_or(|shown| shown.run() == RECORDED_RUN);
        // One that comes too late changes nothing any more, unless there is nothing else.
        if !self.internals.replay_settled || (self.shown.is_none() && self.coming.is_none()) {
            self.adopt_settings(&recorded);
            self.route_as_trained();
            // Both have the same number: an earlier one takes no more steps.
            if let Some(previous) = self.previous.take_if(|previous| previous.run() == RECORDED_RUN) {
                self.previous = Some(Shared::new(previous.finished(FinishReason::Stopped)));
            }
            if nothing_is_live {
                self.shown = Some(recorded);
                self.playback = Playback { cursor: Cursor::Step(0), playing: false, ..self.playback };
            }
        }
        self.replay_is_settled();
    }

    pub(super) fn replay_failed(&mut self, error: UserError) {
        if self.shown.as_ref().is_none_or(|shown| shown.run() == RECORDED_RUN) {
            self.tell_until_step(error);
        }
        self.replay_is_settled();
    }

    /// The first live run waits for the recorded one's settings, and repeats it; so it does when another is recorded.
    pub(super) fn replay_is_settled(&mut self) {
        let is_news = !std::mem::replace(&mut self.internals.replay_settled, true);
        if is_news && matches!(self.phase, Phase::Idle | Phase::Running(_)) {
            let live = self.coming.as_ref().or(self.shown.as_ref()).filter(|latest| latest.run() != RECORDED_RUN);
            let trained = self.trained_routing();
            if live.is_none_or(|live| *live.request != self.settings.request(live.run(), trained)) {
                self.run_unasked();
            }
        }
    }

    /// Puts a recorded run's first lost request on the screen, where there is one.
    pub(super) fn show_first_drop(&mut self) {
        let Some(shown) = self.shown.clone() else { return };
        for step in 0..shown.steps.len() {
            let Some(scene) = Scene::of(&shown, step) else { continue };
            for (layer, of_layer) in scene.layers.iter().enumerate() {
                let lost = (0..scene.tokens.len()).find(|&token| of_layer.fate(token) >= TokenFate::LostSome);
                if let Some(token) = lost {
                    self.playback.cursor = Cursor::Step(step);
                    self.selection.token = token;
                    self.selection.layer = layer;
                    return;
                }
            }
        }
        // Nothing was lost: the end of the prompt, at the step that had read it.
        let prompt_len = shown.prompt_len();
        let step = (0..shown.steps.len()).find(|&step| shown.text_len(step) >= prompt_len);
        self.playback.cursor = Cursor::Step(step.unwrap_or_default());
        self.selection.token = prompt_len.saturating_sub(1);
    }
}
