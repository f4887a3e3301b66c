//! The settings as the controls show them, who decided on them, and what is pending.

use std::rc::Rc;

use moe_trace::{Command, ModelInfo, RoutingSpec, RunRequest};

use crate::run::recording::Recording;
use crate::settings::interventions::Interventions;
use crate::settings::overrides::Overrides;
use crate::settings::{Setting, Settings, models};
use crate::state::Effect;

#[derive(Debug, Clone, PartialEq)]
pub struct Controls {
    pub settings: Settings,
    /// The settings where neither author nor reader says anything: the recorded run's, with the routing that the model
    /// chosen since was trained with.
    defaults: Settings,
    /// Has the reader set something or asked for a run? Then a recorded run's settings come too late.
    reader_has_set: bool,
    /// What a script said of all settings before the recorded run came, which has those that it left out.
    said_early: Option<Overrides>,
    /// A change waits for the controls to rest; then the model is run again.
    rerun_pending: bool,
    /// Did the last run with these settings fail?
    refused: bool,
    /// Was the capacity's slider moved and not let go yet?
    slid: bool,
    /// The model whose trained routing the controls were last set to.
    model_of_routing: Option<Rc<ModelInfo>>,
    /// Controls of the routing that were moved while there was no model, latest last.
    moved_without_model: Vec<Setting>,
    /// A long prompt that the engine was asked to count, and its tokens once they are known.
    counted: Option<(String, Option<u32>)>,
}

impl Controls {
    /// The tokens of the prompt as it stands, where the engine counted them.
    pub fn prompt_tokens(&self) -> Option<u32> {
        self.counted.as_ref().filter(|(text, _)| *text == self.settings.prompt)?.1
    }

    /// Has a prompt counted that may be longer than `max_tokens`, unless it is absurdly long: one has at most as many tokens
    /// as bytes.
    pub(super) fn ask_for_count(&mut self, max_tokens: u32, effects: &mut Vec<Effect>) {
        let prompt = &self.settings.prompt;
        let is_asked = self.counted.as_ref().is_some_and(|(text, _)| text == prompt);
        if prompt.len() > max_tokens as usize && !is_asked && self.settings.prompt_problem().is_none() {
            self.counted = Some((prompt.clone(), None));
            effects.push(Effect::Post(Command::Count(prompt.clone())));
        }
    }

    pub(super) fn count_came(&mut self, text: String, num_tokens: u32) {
        if self.counted.as_ref().is_some_and(|(asked, _)| *asked == text) {
            self.counted = Some((text, Some(num_tokens)));
        }
    }

    /// Another engine counts otherwise.
    pub(super) fn forget_count(&mut self) {
        self.counted = None;
    }

    pub(super) fn new(overrides: &Overrides) -> Controls {
        // No model is known yet whose routing could be meant.
        let settings = Settings::default().with(overrides, &RoutingSpec::default());
        Controls {
            settings,
            defaults: Settings::default(),
            reader_has_set: false,
            said_early: None,
            rerun_pending: false,
            refused: false,
            slid: false,
            model_of_routing: None,
            moved_without_model: Vec::new(),
            counted: None,
        }
    }

    /// The reader changes a setting. `can_rerun`: is there an engine that would run again? Tells whether one would.
    pub(super) fn set(
        &mut self,
        setting: Setting,
        trained: &RoutingSpec,
        has_model: bool,
        can_rerun: bool,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let reruns = setting.reruns();
        let before = self.settings.clone();
        if reruns && !has_model {
            self.moved_without_model.push(setting.clone());
        }
        self.settings.set(setting, trained);
        let is_change = self.settings != before;
        self.reader_has_set |= is_change;
        self.said_early.take_if(|_| is_change);
        if is_change && reruns && can_rerun {
            self.rerun_after_rest(effects);
        }
        is_change && reruns
    }

    /// The reader drags the capacity's slider.
    pub(super) fn slide(&mut self, factor: f32, trained: &RoutingSpec, has_model: bool) {
        let before = self.settings.capacity_factor;
        self.set(Setting::CapacityFactor(factor), trained, has_model, false, &mut Vec::new());
        self.slid |= self.settings.capacity_factor != before;
    }

    /// The slider rests. Was it moved?
    pub(super) fn let_go(&mut self) -> bool {
        std::mem::take(&mut self.slid)
    }

    /// Is a change under way that the model will be run for?
    pub(super) fn is_moving(&self) -> bool {
        self.rerun_pending || self.slid
    }

    /// The attributes changed. Did a setting?
    pub(super) fn take_overrides(&mut self, before: &Overrides, after: &Overrides, trained: &RoutingSpec) -> bool {
        let settings = self.settings.clone();
        self.settings.take_changes(before, after, &self.defaults, trained);
        self.settings != settings
    }

    /// The settings of a page that says this and nothing else. Did one change?
    pub(super) fn replace(&mut self, said: &Overrides, trained: &RoutingSpec, has_model: bool) -> bool {
        let before = std::mem::replace(&mut self.settings, self.defaults.clone().with(said, trained));
        if !has_model {
            self.moved_without_model = said.iter().filter(|setting| setting.reruns()).cloned().collect();
        }
        self.said_early = (self.defaults == Settings::default()).then(|| said.clone());
        self.reader_has_set = true;
        self.settings != before
    }

    /// The settings of a page with no attribute at all.
    pub fn defaults(&self) -> &Settings {
        &self.defaults
    }

    /// The reader asks for a run: on a new prompt, if one is given.
    pub(super) fn ask_for_run(&mut self, prompt: Option<String>) {
        if let Some(prompt) = prompt {
            self.settings.set_prompt(prompt);
        }
        self.said_early = None;
        self.reader_has_set = true;
    }

    pub(super) fn rerun_after_rest(&mut self, effects: &mut Vec<Effect>) {
        self.rerun_pending = true;
        self.refused = false;
        effects.push(Effect::ScheduleRerun);
    }

    /// The controls have rested, or a run begins: a change that was pending is part of it. Was there one?
    pub(super) fn take_rerun(&mut self) -> bool {
        self.refused = false;
        std::mem::take(&mut self.rerun_pending)
    }

    /// The run that these settings asked for failed, and what is on the screen stays.
    pub(super) fn refuse(&mut self) {
        self.refused = true;
    }

    pub fn is_refused(&self) -> bool {
        self.refused
    }

    /// Takes the recorded run's settings for its own unless the reader has settled on others. `model`: the one that is
    /// loaded.
    pub(super) fn adopt(&mut self, recorded: &Recording, model: Option<&ModelInfo>, overrides: &Overrides) {
        let none = Overrides::default();
        self.defaults = Settings::from_request(&recorded.request, &none, &recorded.model.trained_routing);
        if let Some(model) = model.filter(|model| !models::are_same(model, &recorded.model)) {
            self.defaults = self.defaults.clone().as_trained(&model.trained_routing, &none);
        }
        let said = self.said_early.take();
        if !self.reader_has_set || said.is_some() {
            let overrides = said.as_ref().unwrap_or(overrides);
            self.settings = Settings::from_request(&recorded.request, overrides, &recorded.model.trained_routing);
            self.model_of_routing = Some(recorded.model.clone());
        }
    }

    /// A model that the controls were not set for yet gets the routing it was trained with, and then what the reader
    /// moved while it was loading. Is it such a model?
    pub(super) fn route_as_trained(&mut self, model: &Rc<ModelInfo>, overrides: &Overrides) -> bool {
        let moved_without_model = std::mem::take(&mut self.moved_without_model);
        if self.model_of_routing.as_ref().is_some_and(|known| models::are_same(known, model)) {
            return false;
        }
        self.model_of_routing = Some(model.clone());
        self.defaults = self.defaults.clone().as_trained(&model.trained_routing, &Overrides::default());
        self.settings = self.settings.clone().as_trained(&model.trained_routing, overrides);
        for setting in moved_without_model {
            self.settings.set(setting, &model.trained_routing);
        }
        true
    }

    /// Another engine is asked for: what was moved before is not meant for its model.
    pub(super) fn forget_moved(&mut self) {
        self.moved_without_model.clear();
    }

    /// Shows how a run was made that comes to the screen. `left`: the prompt of the run before it; what the reader typed
    /// since, and did not run, stays.
    pub(super) fn show_run(&mut self, request: &RunRequest, left: Option<&str>, trained: &RoutingSpec) {
        let typed = (left != Some(&self.settings.prompt)).then(|| self.settings.prompt.clone());
        self.settings = Settings::from_request(request, &Overrides::default(), trained);
        if let Some(typed) = typed {
            self.settings.set_prompt(typed);
        }
    }

    /// Until another model is loaded the controls describe the run on the screen.
    pub(super) fn show(&mut self, request: &RunRequest, trained: &RoutingSpec) {
        self.settings.show(&request.routing, trained);
        self.settings.interventions = Interventions::of(&request.interventions);
    }
}
