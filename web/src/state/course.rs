//! The lesson that is open: which step it is at, what the reader answered, and which controls rest meanwhile.
//!
//! The reader holds the clock: a step follows the one before when she says so, and never plays past the place that it
//! shows. What a step sets is set once the recorded run is there, and the model is run again as for any other change.

mod answering;
mod resting;
mod setting;

use moe_trace::UserError;

use crate::run::shared::Shared;
use crate::settings::lesson::{self, Ask, Goto, Lesson, Step, Task, Texts};
use crate::settings::offered::Offered;
use crate::state::{Effect, State};
use crate::words::problems::Problem;
use crate::words::{lesson as words, tongue};

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
                    self.course.verdict = tongue::translated(words::SHOWN).into_owned();
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
}
