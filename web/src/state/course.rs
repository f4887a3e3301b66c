//! The lesson that is open: which step it is at, what the reader answered, and which controls rest meanwhile.
//!
//! The reader holds the clock: a step follows the one before when she says so, and never plays past the place that it
//! shows. What a step sets is set once the recorded run is there, and the model is run again as for any other change.

use moe_trace::UserError;

use crate::run::observed::{Bars, Observed};
use crate::run::recording::Recording;
use crate::run::shared::Shared;
use crate::settings::Setting;
use crate::settings::lesson::{self, Ask, Goto, Lesson, Step, Task, Texts};
use crate::settings::offered::{ControlName, Offered};
use crate::state::{Action, Effect, Engine, State};
use crate::words::lesson as words;
use crate::words::problems::Problem;

/// The model of a page that names none.
const DEFAULT_MODEL: &str = "default";

/// What happens to a lesson.
#[derive(Debug, Clone, PartialEq)]
pub enum Turn {
    /// Open the lesson of this name or address; `None` closes it.
    Open(Option<String>),
    /// The file arrived, or something else did.
    Came {
        name: String,
        read: Result<Shared<Lesson>, UserError>,
    },
    Next,
    Back,
    /// The reader says that she has done it.
    Check,
    /// She has tried, and wants to be shown.
    ShowMe,
    /// She goes on without having done it.
    Skip,
    /// She expects this of an expert.
    Guess {
        expert: usize,
        value: f32,
    },
    /// Show what she guessed.
    Reveal,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Course {
    lesson: Option<Shared<Lesson>>,
    at: usize,
    is_done: bool,
    /// Wrong answers at this step.
    tries: usize,
    /// What the reader expects, by expert.
    guess: Vec<f32>,
    /// What is said of her last answer.
    verdict: String,
    /// What is to be set as soon as it can be.
    pending: Option<Texts>,
    /// The place of the step; an overflow can only be looked for in a whole run.
    goto: Option<Goto>,
    /// Is the model that was last set one that this page cannot load?
    lacks_model: bool,
}

impl Course {
    pub fn lesson(&self) -> Option<&Shared<Lesson>> {
        self.lesson.as_ref()
    }

    pub fn step(&self) -> Option<&Step> {
        self.lesson.as_ref()?.steps.get(self.at)
    }

    /// The number of the step, from 0.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Is there nothing to do at this step, or was it done?
    pub fn is_done(&self) -> bool {
        self.is_done
    }

    pub fn is_at_end(&self) -> bool {
        self.lesson.as_ref().is_some_and(|lesson| self.at + 1 >= lesson.steps.len())
    }

    pub fn tries(&self) -> usize {
        self.tries
    }

    pub fn verdict(&self) -> &str {
        &self.verdict
    }

    /// What she expects of an expert.
    pub fn guess(&self, expert: usize) -> f32 {
        self.guess.get(expert).copied().unwrap_or_default()
    }

    fn ask(&self) -> Option<&Ask> {
        match &self.step()?.task {
            Task::Ask(ask) => Some(ask),
            Task::None | Task::Predict(_) => None,
        }
    }

    /// Is something to be guessed that pictures would tell?
    fn covers(&self) -> bool {
        !self.is_done && self.step().is_some_and(|step| matches!(step.task, Task::Predict(_)))
    }

    fn locked(&self) -> Offered {
        self.step().map_or(Offered::NONE, |step| step.locked)
    }

    /// Begins a step; `set`: what it changes on the page.
    fn enter(&mut self, at: usize, set: Texts) {
        let (lesson, lacks_model) = (self.lesson.take(), self.lacks_model);
        *self = Course { lesson, lacks_model, at, pending: Some(set), ..Course::default() };
        let step = self.step();
        let (goto, is_done) = (step.and_then(|step| step.goto), step.is_some_and(|step| step.task == Task::None));
        (self.goto, self.is_done) = (goto, is_done);
    }
}

impl State {
    pub fn course(&self) -> &Course {
        &self.course
    }

    /// Are all pictures covered, since the reader is guessing what they show?
    pub fn is_guessing(&self) -> bool {
        self.course.covers()
    }

    /// The controls that rest at this step of a lesson.
    pub fn locked(&self) -> Offered {
        self.course.locked()
    }

    pub(super) fn turn(&mut self, turn: Turn, effects: &mut Vec<Effect>) {
        match turn {
            Turn::Open(name) => {
                effects.push(Effect::SetLesson(name.clone().unwrap_or_default()));
                self.open_lesson(name, effects);
            }
            Turn::Came { name, read } if self.config.lesson.as_ref() == Some(&name) => match read {
                Ok(lesson) => {
                    self.course = Course { lesson: Some(lesson), ..Course::default() };
                    self.enter(0);
                }
                Err(error) => self.notices.notify(Problem::Told(error), effects),
            },
            Turn::Came { .. } => {}
            Turn::Next if self.course.is_at_end() => self.turn(Turn::Open(None), effects),
            Turn::Next => self.enter(self.course.at + 1),
            Turn::Back => {
                if let Some(before) = self.course.at.checked_sub(1) {
                    self.enter_again(before);
                }
            }
            Turn::Check => self.check(),
            Turn::ShowMe => {
                let solution = self.course.ask().map(|ask| ask.solution.clone());
                if let Some(solution) = solution.filter(|solution| !solution.is_empty()) {
                    self.course.verdict = words::SHOWN.to_owned();
                    self.course.goto = Some(Goto::Place(lesson::configured(&solution).place));
                    self.course.pending = Some(solution);
                }
            }
            Turn::Skip => self.course.is_done = true,
            Turn::Guess { expert, value } => {
                if let Some(bars) = self.bars().filter(|_| self.course.covers()) {
                    self.course.guess.resize(bars.values.len(), 0.0);
                    if let Some(guessed) = self.course.guess.get_mut(expert) {
                        *guessed = if value.is_finite() { value.clamp(0.0, bars.most) } else { 0.0 };
                    }
                }
            }
            Turn::Reveal => self.reveal(),
        }
    }

    /// Another lesson is asked for, or none. The file is fetched; until it is there the page goes on.
    pub(super) fn open_lesson(&mut self, name: Option<String>, effects: &mut Vec<Effect>) {
        self.course = Course::default();
        effects.extend(name.clone().map(Effect::FetchLesson));
        self.config.lesson = name;
    }

    fn enter(&mut self, at: usize) {
        let set = self.course.lesson.as_ref().and_then(|lesson| lesson.steps.get(at)).map(|step| step.set.clone());
        if let Some(set) = set {
            self.course.enter(at, set);
        }
    }

    /// Goes back to a step: all that was set up to there is set again.
    fn enter_again(&mut self, at: usize) {
        let Some(lesson) = self.course.lesson.clone() else { return };
        let set = lesson.steps.iter().take(at + 1).flat_map(|step| step.set.clone()).collect();
        self.course.enter(at, set);
    }

    /// Sets what is pending as soon as the recorded run is there, whose settings would else take its place, and the list
    /// of models where a model is named.
    pub(super) fn go_on_with_lesson(&mut self, effects: &mut Vec<Effect>) {
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

    /// Why the picture is not yet the one that the step asks for.
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

    fn check(&mut self) {
        let Some(ask) = self.course.ask().filter(|_| !self.course.is_done).cloned() else { return };
        if let Some(why) = self.why_not_yet() {
            self.course.verdict = why.to_owned();
            return;
        }
        let observed = self.observed();
        let see = |quantity| observed.as_ref()?.see(quantity);
        let missed = ask.expect.iter().find(|condition| !condition.holds(see));
        match missed.map(|condition| condition.missed(see)) {
            None => {
                self.course.verdict = words::RIGHT.to_owned();
                self.course.is_done = true;
            }
            Some(missed) => {
                let hint = ask.hints.get(self.course.tries).or(ask.hints.last());
                self.course.tries += 1;
                self.course.verdict = hint.map_or(missed.clone(), |hint| format!("{missed} {hint}"));
            }
        }
    }

    fn reveal(&mut self) {
        if !self.course.covers() {
            return;
        }
        self.course.verdict = match (self.why_not_yet(), self.bars()) {
            (Some(why), _) => why.to_owned(),
            (None, None) => {
                self.course.is_done = true;
                words::NOTHING_TO_GUESS.to_owned()
            }
            (None, Some(bars)) => {
                self.course.is_done = true;
                let Some(Task::Predict(predicted)) = self.course.step().map(|step| &step.task) else { return };
                bars.gap(*predicted, &self.course.guess)
            }
        };
    }

    /// Does this action move a control that rests? Then it is not carried out, and the lesson says so.
    pub(super) fn rests(&mut self, action: &Action) -> bool {
        let locked = self.locked();
        let is_locked = control_of(action).is_some_and(|control| locked.has(control));
        if is_locked {
            self.course.verdict = words::RESTS.to_owned();
        }
        is_locked
    }
}

/// The control that this action is of. A run is none: a script may wait for it, and readers have no button where it rests.
fn control_of(action: &Action) -> Option<ControlName> {
    let control = match action {
        Action::Set(Setting::Prompt(_)) => ControlName::Prompt,
        Action::Set(Setting::Rule(_)) => ControlName::Rule,
        Action::Set(Setting::K(_)) => ControlName::K,
        Action::Set(Setting::Policy(_)) => ControlName::Policy,
        Action::Set(Setting::CapacityFactor(_)) | Action::Slide(_) => ControlName::Capacity,
        Action::Set(Setting::Interventions(_)) | Action::Operate(_) => ControlName::Surgery,
        Action::Set(Setting::Group(_)) => ControlName::Group,
        // How the next token is taken.
        Action::Set(_) => ControlName::Seed,
        Action::StepBy(_) | Action::StepTo(_) | Action::TogglePlay | Action::PlayStory => ControlName::Step,
        _ => return None,
    };
    Some(control)
}
