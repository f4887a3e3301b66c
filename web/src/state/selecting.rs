//! Moving through the text and through time.

use crate::state::{Cursor, Motion, Phase, State};

impl State {
    pub(super) fn select(&mut self, token: usize, layer: Option<usize>, expert: Option<usize>) {
        self.selection.token = token;
        self.selection.layer = layer.unwrap_or(self.selection.layer);
        self.selection.expert = expert.or(self.selection.expert.filter(|_| layer.is_none()));
        self.selection.follows = false;
        self.clamp_selection();
    }

    pub(super) fn move_selection(&mut self, motion: Motion) {
        let Some(scene) = self.scene.clone() else { return };
        let selection = &mut self.selection;
        let shift = |at: usize, by: i32, len: usize| at.saturating_add_signed(by as isize).min(len.saturating_sub(1));
        match motion {
            Motion::Token(by) => selection.token = shift(selection.token, by, scene.tokens.len()),
            Motion::Layer(by) => selection.layer = shift(selection.layer, by, scene.layers.len()),
            Motion::Expert(by) => {
                selection.expert = Some(match selection.expert {
                    Some(expert) => shift(expert, by, scene.num_experts()),
                    None if by > 0 => 0,
                    None => scene.num_experts().saturating_sub(1),
                });
            }
            Motion::FirstToken => selection.token = 0,
            Motion::LastToken => selection.token = scene.tokens.len().saturating_sub(1),
            Motion::NextDrop => {
                if let Some((token, layer)) = scene.next_drop(selection.token, selection.layer) {
                    (selection.token, selection.layer) = (token, layer);
                }
            }
        }
        selection.follows = false;
    }

    /// Keeps the selection within the scene, and with the newest token if it follows.
    pub(super) fn hold_selection(&mut self) {
        if self.selection.follows
            && let Some(scene) = &self.scene
        {
            self.selection.token = scene.tokens.len().saturating_sub(1);
        }
        self.clamp_selection();
    }

    fn clamp_selection(&mut self) {
        let Some(scene) = &self.scene else { return };
        self.selection.token = self.selection.token.min(scene.tokens.len().saturating_sub(1));
        self.selection.layer = self.selection.layer.min(scene.layers.len().saturating_sub(1));
        self.selection.expert = self.selection.expert.filter(|&expert| expert < scene.num_experts());
    }

    pub(super) fn toggle_play(&mut self) {
        let Some(recording) = self.on_screen() else { return };
        let last = recording.steps.len().saturating_sub(1);
        self.playback.playing = !self.playback.playing;
        if self.playback.playing {
            // At the end, play begins again from the start.
            let step = self.scene.as_ref().map_or(0, |scene| scene.step);
            let from_start = step >= last && !self.is_running();
            self.playback.cursor = Cursor::Step(if from_start { 0 } else { step });
            self.selection.follows = true;
        }
    }

    pub(super) fn tick(&mut self) {
        let Some(recording) = self.on_screen() else { return };
        if !self.playback.playing {
            return;
        }
        let next = self.scene.as_ref().map_or(0, |scene| scene.step) + 1;
        if next < recording.steps.len() {
            self.playback.cursor = Cursor::Step(next);
        } else if !matches!(self.phase, Phase::Running(_)) {
            self.playback.playing = false;
        }
    }

    pub(super) fn go_to(&mut self, step: usize) {
        let last = self.on_screen().map_or(0, |recording| recording.steps.len().saturating_sub(1));
        self.playback.playing = false;
        self.playback.cursor = Cursor::Step(step.min(last));
    }
}
