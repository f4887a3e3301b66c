//! What a step of a lesson sets: attributes, as if the reader had set them, and the place in the run that it shows.

use crate::settings::lesson::{self, Goto, Texts};
use crate::state::{Effect, Engine, State};

/// The model of a page that names none.
const DEFAULT_MODEL: &str = "default";

impl State {
    /// Sets what is pending as soon as the recorded run is there, whose settings would else take its place, and the list
    /// of models where a model is named.
    pub(in crate::state) fn go_on_with_lesson(&mut self, effects: &mut Vec<Effect>) {
        if self.course.lesson.is_none() || self.awaits_replay {
            return;
        }
        let is_named = |texts: &Texts, name: &str| texts.iter().any(|(of, _)| of == name);
        let awaits_menu = self.menu.is_none() && self.engine().can_run();
        if let Some(texts) = self.course.pending.take_if(|texts| !(awaits_menu && is_named(texts, "model"))) {
            self.set_texts(&texts, effects);
        }
        match self.course.goto {
            Some(Goto::Place(place)) => {
                self.screen.seek(place);
                self.course.goto = None;
            }
            Some(Goto::Overflow) if self.why_not_yet().is_none() => {
                if let Some(run) = self.on_screen().cloned() {
                    self.screen.show_first_drop(&run);
                    self.course.goto = None;
                }
            }
            Some(Goto::Overflow) | None => {}
        }
    }

    /// Sets attributes as if the reader had set them.
    fn set_texts(&mut self, texts: &Texts, effects: &mut Vec<Effect>) {
        let config = lesson::configured(texts);
        let is_named = |name: &str| texts.iter().any(|(of, _)| of == name);
        let manifest_url = config.model.as_ref().and_then(|model| {
            let choices = self.menu()?.choices();
            Some(choices.iter().find(|choice| choice.attribute() == *model)?.manifest_url.clone())
        });
        if let Some(model) = &config.model {
            let is_there = self.config.model.as_deref().unwrap_or(DEFAULT_MODEL) == model;
            self.course.lacks_model = manifest_url.is_none() && !is_there;
        }
        if let Some(manifest_url) = manifest_url.filter(|url| *url != self.config.manifest_url) {
            self.choose_model(&manifest_url, effects);
        }
        let before = self.controls.settings.clone();
        for setting in config.overrides.iter() {
            self.set(setting.clone(), effects);
        }
        // A prompt that is typed waits for Run; one that a lesson sets does not.
        if self.controls.settings != before {
            match self.engine() {
                Engine::Ready { .. } => self.controls.rerun_after_rest(effects),
                _ => self.wake(effects),
            }
        }
        if is_named("depth") {
            self.set_depth(config.depth, effects);
        }
        if is_named("method") {
            self.screen.method = config.method;
        }
        if is_named("lab-factor") {
            self.screen.lab_factor = config.lab_factor;
        }
        if is_named("moment") {
            self.screen.moment = config.moment;
        }
        if is_named("microscope") {
            self.screen.micro_step = config.micro_step.unwrap_or_default();
        }
        if let Some(experiment) = config.experiment {
            self.in_lab(|lab| lab.choose(experiment, effects));
        }
    }
}
