//! Adapters beside the page's model: what the reader chose, what was asked of the lab's worker, what it told.

use moe_trace::adapting::{AdaptRequest, Adaptation, AdapterRecipe, ModelFiles};
use moe_trace::training::TrainSetting;
use moe_trace::{Bytes, MixerSpec, RunId, TrainCommand, TrainEvent, UserError};

use super::ChosenFile;
use crate::run::adapting::Adapting;
use crate::run::shared::Shared;
use crate::state::Effect;

/// Letters of the reader's text that the probe is at first.
const PROBE: usize = 48;

/// Steps between two looks at held-out text.
const LOOK_EVERY: u32 = 10;

/// What the reader asks of adapters.
#[derive(Debug, Clone, PartialEq)]
pub enum AdapterWish {
    Rule(MixerSpec),
    Count(u32),
    Rank(u32),
    /// Coefficient of the localised balance loss.
    Balance(f32),
    /// The text that is not to be forgotten.
    Remembered(String),
    /// New ones, that have learned nothing.
    Start,
    Pause,
    Resume,
    /// So many steps, then rest.
    Step(u32),
    /// Forget them.
    Stop,
    /// Tell of this text which adapter each token asks.
    Probe(String),
    /// Of a worker that is gone: go on from the newest look, in another one.
    Revive,
    /// The newest look, as a file.
    Save,
    /// Adapters that were saved, in place of what is there.
    Open(ChosenFile),
}

/// The lab's part for adapters.
#[derive(Debug, Clone, PartialEq)]
pub struct Adapters {
    pub recipe: AdapterRecipe,
    pub remembered: String,
    pub current: Option<Shared<Adapting>>,
    /// Those that are on their way to take its place.
    pub coming: Option<Shared<Adapting>>,
    /// The file that they are opened from.
    opens: Option<Bytes>,
    pub problem: Option<UserError>,
    /// The worker is gone; what was told is still here.
    pub is_lost: bool,
}

impl Default for Adapters {
    fn default() -> Adapters {
        let recipe = AdapterRecipe {
            rule: MixerSpec::Molora { k: None },
            num_adapters: 4,
            rank: 4,
            alpha: 16.0,
            num_sequences: 8,
            num_tokens: 64,
            learning_rate: 3e-3,
            balance: 0.0,
            seed: 1,
        };
        Adapters {
            recipe,
            remembered: String::new(),
            current: None,
            coming: None,
            opens: None,
            problem: None,
            is_lost: false,
        }
    }
}

impl Adapters {
    /// Does the worker have nothing of theirs?
    pub fn is_idle(&self) -> bool {
        self.coming.is_none() && (self.current.is_none() || self.is_lost)
    }

    pub fn is_running(&self) -> bool {
        !self.is_lost && self.current.as_ref().is_some_and(|current| !current.is_resting)
    }

    /// `text`: the reader's own. `run`: a number that no run had.
    pub(super) fn wish(&mut self, wish: AdapterWish, text: &str, run: RunId, effects: &mut Vec<Effect>) {
        match wish {
            AdapterWish::Rule(rule) => {
                self.recipe.rule = rule;
                self.recipe.balance = if rule == MixerSpec::Loramoe { 0.1 } else { 0.0 };
            }
            AdapterWish::Count(count) => self.recipe.num_adapters = count,
            AdapterWish::Rank(rank) => self.recipe.rank = rank,
            AdapterWish::Balance(balance) => self.recipe.balance = balance,
            AdapterWish::Remembered(text) => self.remembered = text,
            AdapterWish::Start => self.begin(run, text, None, None, effects),
            AdapterWish::Pause => self.ask(effects, TrainCommand::Pause),
            AdapterWish::Resume => {
                self.update(|adapting| adapting.is_resting = false);
                self.ask(effects, TrainCommand::Resume);
            }
            AdapterWish::Step(num_steps) => {
                self.update(|adapting| adapting.is_resting = false);
                self.ask(effects, |run| TrainCommand::Step { run, num_steps });
            }
            AdapterWish::Stop => {
                let runs = [self.current.take(), self.coming.take()];
                let stop = |adapting: Shared<Adapting>| Effect::Train(TrainCommand::Stop(adapting.run()));
                if !std::mem::take(&mut self.is_lost) {
                    effects.extend(runs.into_iter().flatten().map(stop));
                }
                (self.opens, self.problem) = (None, None);
            }
            AdapterWish::Probe(probe) => {
                let setting = TrainSetting::Probe(probe);
                self.ask(effects, |run| TrainCommand::Change { run, setting: setting.clone() });
            }
            AdapterWish::Revive => {
                let Some((current, saved)) = self.saved() else { return };
                let (learned, name) = (current.request.text.clone(), current.name.clone());
                self.begin(run, &learned, Some(saved), name, effects);
            }
            AdapterWish::Save => {
                let Some((current, bytes)) = self.saved() else { return };
                let num_steps = current.look.as_ref().map_or(0, |look| look.num_steps);
                let name = format!("adapters-step-{num_steps}.safetensors");
                effects.push(Effect::KeepFile { name, bytes });
            }
            AdapterWish::Open(ChosenFile { name, bytes: Some(bytes) }) => {
                self.begin(run, text, Some(bytes), Some(name), effects);
            }
            AdapterWish::Open(ChosenFile { name, bytes: None }) => {
                let why = say!("{name} could not be read, or is too large.", name);
                let try_this = say!("Choose a file that was saved here.");
                self.problem = Some(UserError::new(say!("The adapters were not opened."), why, try_this));
            }
        }
    }

    /// Asks for the model's files first; the worker reads them.
    fn begin(&mut self, run: RunId, text: &str, opens: Option<Bytes>, name: Option<String>, effects: &mut Vec<Effect>) {
        if let Some(given_up) = self.coming.take() {
            effects.push(Effect::Train(TrainCommand::Stop(given_up.run())));
        }
        let remembered = self.remembered.clone();
        let request = AdaptRequest {
            run,
            recipe: self.recipe,
            text: text.to_owned(),
            remembered,
            probe: text.chars().take(PROBE).collect(),
            look_every: LOOK_EVERY,
        };
        self.coming = Some(Shared::new(Adapting::new(request, name)));
        (self.opens, self.problem) = (opens, None);
        effects.push(Effect::FetchModel(run));
    }

    /// The model's files, or why there are none. What was given up meanwhile is ignored.
    pub(super) fn model_came(&mut self, run: RunId, files: Result<ModelFiles, String>, effects: &mut Vec<Effect>) {
        let Some(coming) = self.coming.clone().filter(|coming| coming.run() == run) else { return };
        match files {
            Ok(model) => {
                let adaptation = Adaptation { request: coming.request.clone(), model, adapters: self.opens.take() };
                effects.push(Effect::Train(TrainCommand::Adapt(Box::new(adaptation))));
            }
            Err(why) => {
                self.coming = None;
                let what = say!("The adapters were not trained.");
                self.problem = Some(UserError::new(what, why, say!("Check the connection, and try again.")));
            }
        }
    }

    /// From the worker: was it about adapters?
    pub(super) fn told(&mut self, event: &TrainEvent) -> bool {
        let Some(run) = event.run() else { return false };
        let is = |adapting: &Option<Shared<Adapting>>| adapting.as_ref().is_some_and(|of| of.run() == run);
        if is(&self.coming) {
            self.told_coming(event);
            return true;
        }
        // Of those that were given up, too, only adapters are told.
        let is_theirs = matches!(event, TrainEvent::Adapting(_) | TrainEvent::AdaptStep(_) | TrainEvent::Adapted(_));
        if !is(&self.current) || self.is_lost {
            return is_theirs;
        }
        match event {
            TrainEvent::Failed { error, fatal, .. } => {
                self.problem = Some(error.clone());
                self.is_lost = *fatal;
            }
            _ => {
                if matches!(event, TrainEvent::AdaptStep(_)) {
                    self.problem = None;
                }
                self.update(|adapting| adapting.take(event));
            }
        }
        true
    }

    /// They take the place of what was there once the worker has them.
    fn told_coming(&mut self, event: &TrainEvent) {
        let Some(coming) = self.coming.take() else { return };
        if let TrainEvent::Failed { error, .. } = event {
            self.problem = Some(error.clone());
            return;
        }
        let mut next = Adapting::clone(&coming);
        next.take(event);
        match next.look.is_some() {
            true => (self.current, self.is_lost) = (Some(Shared::new(next)), false),
            false => self.coming = Some(Shared::new(next)),
        }
    }

    /// The worker is gone.
    pub(super) fn lose(&mut self, error: &UserError) {
        if self.is_idle() {
            return;
        }
        (self.coming, self.opens, self.problem) = (None, None, Some(error.clone()));
        self.is_lost = self.current.is_some();
        self.update(|adapting| adapting.is_resting = true);
    }

    fn saved(&self) -> Option<(Shared<Adapting>, Bytes)> {
        let current = self.current.clone()?;
        let bytes = current.look.as_ref()?.saved.clone();
        Some((current, bytes))
    }

    fn ask(&self, effects: &mut Vec<Effect>, command: impl Fn(RunId) -> TrainCommand) {
        let asked = self.current.as_ref().filter(|_| !self.is_lost);
        effects.extend(asked.map(|current| Effect::Train(command(current.run()))));
    }

    fn update(&mut self, change: impl Fn(&mut Adapting)) {
        if let Some(current) = &mut self.current {
            let mut next = Adapting::clone(current);
            change(&mut next);
            *current = Shared::new(next);
        }
    }
}
