//! The reducer: the state after an action. Pure, so a test is a list of actions.

use std::rc::Rc;

use moe_trace::UserError;

use crate::run::recording::Recording;
use crate::run::scene::Scene;
use crate::run::shared::Shared;
use crate::run::{compare, what_if};
use crate::settings::attributes::Config;
use crate::settings::limits::MAX_PROMPT_CHARS;
use crate::settings::models;
use crate::settings::{PromptProblem, Setting, Settings};
use crate::state::{Action, Cursor, Phase, Selection, State};

impl State {
    /// The state after `action`.
    pub fn apply(&self, action: Action) -> State {
        let mut next = self.clone();
        match action {
            Action::Configured { config, errors } => next.configure(*config, errors),
            Action::MenuRead(menu) => next.menu = Some(Rc::new(menu)),
            Action::ChooseModel { manifest_url } => next.choose_model(&manifest_url),

            Action::ReplayBegan(recorded) => next.replay_began(recorded),
            Action::ReplayFailed(error) => next.replay_failed(error),
            Action::Engine(event) => next.hear(event),
            Action::ReplayIsLate => next.replay_is_settled(),
            Action::EngineLost { why } => next.engine_lost(&why, ""),
            Action::Retry => next.retry(),

            Action::Run { prompt } => {
                if let Some(prompt) = prompt {
                    next.settings.set(Setting::Prompt(prompt));
                }
                next.internals.settled = true;
                next.playback = super::Playback { cursor: Cursor::Latest, playing: false, ..next.playback };
                next.selection.follows = true;
                next.internals.restarts = 0;
                next.run();
            }
            Action::Rerun { ticket }
                if ticket == next.internals.rerun_ticket && ticket != next.internals.served_ticket =>
            {
                next.internals.restarts = 0;
                next.run();
            }
            Action::Rerun { .. } => {}
            Action::Stop => {
                if let Phase::Running(run) = next.phase {
                    next.internals.stopping = Some(run);
                }
            }
            Action::Set(setting) => {
                let reruns = setting.reruns();
                let before = next.settings.clone();
                if reruns && next.model.is_none() {
                    next.internals.touched.push(setting.clone());
                }
                next.settings.set(setting);
                if next.settings != before {
                    next.internals.settled = true;
                    if reruns && matches!(next.phase, Phase::Idle | Phase::Running(_)) {
                        next.internals.rerun_ticket += 1;
                    }
                }
            }

            Action::TogglePlay => next.toggle_play(),
            Action::Tick => next.tick(),
            Action::StepBy(steps) => {
                let current = next.scene.as_ref().map_or(0, |scene| scene.step);
                next.go_to(current.saturating_add_signed(steps as isize));
            }
            Action::StepTo(step) => next.go_to(step),
            Action::SetSpeed(speed) => next.playback.speed = speed,
            Action::Flip => next.flipped = !next.flipped && next.previous.is_some(),

            Action::Select { token, layer, expert } => next.select(token, layer, expert),
            Action::SelectLayer(layer) => next.selection.layer = layer,
            Action::SelectExpert(expert) => next.selection.expert = expert,
            Action::Move(motion) => next.move_selection(motion),

            Action::ToggleHelp => next.chrome.help_open = !next.chrome.help_open,
            Action::CloseHelp => next.chrome.help_open = false,
            Action::SetTheme(theme) => next.chrome.theme = theme,
            Action::SetTab(tab) => next.chrome.tab = tab,
            Action::DismissNotice => next.notice = None,
        }
        next.refresh(self);
        next
    }

    /// Asks for a run with the settings as they are, or says why there cannot be one.
    pub(super) fn run(&mut self) {
        self.internals.served_ticket = self.internals.rerun_ticket;
        match self.settings.prompt_problem() {
            Some(PromptProblem::Empty) => {
                return self.tell(
                    UserError::new(
                        "There is nothing to run yet.",
                        "The prompt is empty, and the model continues a text.",
                        "Type a few words.",
                    ),
                    true,
                );
            }
            Some(PromptProblem::TooLong { num_chars }) => {
                let excess = num_chars - MAX_PROMPT_CHARS;
                return self.tell(
                    UserError::new(
                        format!("The prompt is too long: {num_chars} of at most {MAX_PROMPT_CHARS} characters."),
                        "The model sees only a few hundred tokens.",
                        format!("Take away {excess} characters. Your text is kept as it is."),
                    ),
                    true,
                );
            }
            None => {}
        }
        match &self.phase {
            Phase::Idle | Phase::Running(_) => {}
            // It runs with the settings of that moment as soon as the engine is ready.
            Phase::Starting | Phase::Loading { .. } => return,
            Phase::Recorded => {
                return self.tell(
                    UserError::new(
                        "Only the recorded run can be shown.",
                        "This page asks for backend=\"recorded\", so no engine is loaded.",
                        "Step through the recorded run below.",
                    ),
                    true,
                );
            }
            Phase::Failed(error) => {
                let error = error.clone();
                return self.tell(error, true);
            }
        }
        let (Some(model), Some(backend)) = (self.model.clone(), &self.backend) else { return };
        let run = moe_trace::RunId(self.internals.next_run);
        self.internals.next_run += 1;
        self.internals.stopping = None;
        let request = self.settings.request(run, Some(&model.trained_routing));
        let source = super::engine_events::source_of(backend);
        self.end_shown();
        self.coming = Some(Shared::new(Recording::new(source, model, request)));
        self.phase = Phase::Running(run);
        self.notice = self.notice.take().filter(|notice| notice.is_error);
    }

    /// A run that nobody asked for just now. A prompt that cannot run is explained when somebody does.
    pub(super) fn run_unasked(&mut self) {
        if self.settings.prompt_problem().is_none() {
            self.run();
        }
    }

    fn configure(&mut self, config: Config, errors: Vec<UserError>) {
        let before = std::mem::replace(&mut self.config, config);
        let settings = self.settings.clone();
        let before_errors = std::mem::take(&mut self.internals.attribute_errors);
        self.settings.take_changes(&before.overrides, &self.config.overrides);
        let engine_of = |config: &Config| (config.backend, config.base_url.clone());
        if before.trace_url != self.config.trace_url {
            self.change_replay();
        }
        if before.backend != self.config.backend {
            self.internals.gpu_failed = None;
        }
        if before.manifest_url != self.config.manifest_url {
            self.change_model();
        } else if engine_of(&before) != engine_of(&self.config) {
            self.change_engine();
        } else if settings != self.settings && matches!(self.phase, Phase::Idle | Phase::Running(_)) {
            self.internals.rerun_ticket += 1;
        }
        // A value that was reported already is not news when another attribute changes.
        for error in errors.iter().filter(|error| !before_errors.contains(error)) {
            self.tell(error.clone(), true);
        }
        self.internals.attribute_errors = errors;
        self.internals.settled |= settings != self.settings;
    }

    /// Takes the recorded run's settings for its own unless somebody has settled on others.
    pub(super) fn adopt_settings(&mut self, recorded: &Recording) {
        if !self.internals.settled {
            self.settings = Settings::from_request(&recorded.request, &self.config.overrides);
            self.internals.routed_for = Some(recorded.model.clone());
        }
    }

    /// A model that the controls were not set for yet gets the routing it was trained with, and then what the reader
    /// moved while it was loading.
    pub(super) fn route_as_trained(&mut self) {
        let Some(model) = &self.model else { return };
        let touched = std::mem::take(&mut self.internals.touched);
        if self.internals.routed_for.as_ref().is_some_and(|known| models::are_same(known, model)) {
            return;
        }
        self.internals.routed_for = Some(model.clone());
        self.settings = self.settings.clone().as_trained(&model.trained_routing, &self.config.overrides);
        for setting in touched {
            self.settings.set(setting);
        }
    }

    /// Brings what is derived up to date with what it is derived from.
    fn refresh(&mut self, before: &State) {
        if self.flipped && self.previous.is_none() {
            self.flipped = false;
        }
        let moved = self.on_screen() != before.on_screen() || self.playback.cursor != before.playback.cursor;
        if moved {
            self.scene = self.on_screen().and_then(|recording| {
                let last = recording.steps.len().saturating_sub(1);
                let step = match self.playback.cursor {
                    Cursor::Step(step) => step.min(last),
                    Cursor::Latest => last,
                };
                match &before.scene {
                    // A run that has only grown longer looks the same at this step: nothing is drawn again.
                    Some(scene) if scene.step == step && scene.recording.request == recording.request => {
                        Some(scene.clone())
                    }
                    _ => Scene::of(recording, step).map(Shared::new),
                }
            });
            self.hold_selection();
        }
        if self.scene != before.scene || self.previous != before.previous || self.flipped != before.flipped {
            let other = if self.flipped { &self.shown } else { &self.previous };
            let compared = other.as_ref().zip(self.scene.as_ref());
            self.change = compared.and_then(|(other, scene)| compare::change(other, scene)).map(Shared::new);
        }
        let inputs = |state: &State| (state.scene.clone(), state.settings.clone(), state.selection, state.flipped);
        let moved = self.shown != before.shown || self.model != before.model;
        if moved || inputs(self) != inputs(before) {
            let scene = self.scene.as_ref().filter(|_| !self.flipped && self.settings_differ_from_shown());
            let Selection { layer, token, .. } = self.selection;
            self.what_if = scene.and_then(|scene| what_if::layer(scene, layer, token, &self.settings)).map(Shared::new);
        }
    }
}
