//! The routing time machine: one question at a time to the engine, how the gates of earlier moments of the training would
//! route the text on the screen. It is posted when no run of the reader's is under way; a comparison that it interrupts is
//! asked for again.

use std::rc::Rc;

use moe_trace::{Command, GateHistory, RunId, UserError};

use crate::run::fixed_text;
use crate::run::moments::Moments;
use crate::run::shared::Shared;
use crate::state::background::EngineKey;
use crate::state::engine::Engine;
use crate::state::worker::Worker;
use crate::state::{Effect, State};

#[derive(Debug, Clone, PartialEq, Default)]
pub struct TimeMachine {
    question: Option<Question>,
    answer: Option<(EngineKey, Result<Shared<GateHistory>, UserError>)>,
}

#[derive(Debug, Clone, PartialEq)]
struct Question {
    engine: EngineKey,
    text: Rc<str>,
    /// Its number, once the engine has it.
    posted: Option<RunId>,
}

impl TimeMachine {
    /// Is an answer still to come?
    pub fn waits(&self) -> bool {
        self.question.is_some()
    }

    /// Is the engine at it?
    pub fn is_posted(&self) -> bool {
        self.question.as_ref().is_some_and(|question| question.posted.is_some())
    }

    /// Why there was no answer from this engine.
    pub fn failure(&self, engine: &EngineKey) -> Option<&UserError> {
        let (key, answer) = self.answer.as_ref()?;
        answer.as_ref().err().filter(|_| key == engine)
    }

    fn history(&self, engine: &EngineKey) -> Option<&Shared<GateHistory>> {
        let (key, answer) = self.answer.as_ref()?;
        answer.as_ref().ok().filter(|_| key == engine)
    }

    pub(super) fn go_on(&mut self, worker: &mut Worker, effects: &mut Vec<Effect>) {
        let Some(question) = &mut self.question else { return };
        let Engine::Ready { loaded, job } = &worker.engine else { return };
        if EngineKey::of(loaded) != question.engine {
            self.question = None;
        } else if job.is_none() && question.posted.is_none() {
            let run = worker.next_run();
            question.posted = Some(run);
            effects.push(Effect::Post(Command::RouteThen { run, text: question.text.to_string() }));
        }
    }

    /// The question with this number is answered.
    fn take_answer(&mut self, run: RunId, answer: Result<Shared<GateHistory>, UserError>) -> bool {
        let asked = self.question.take_if(|question| question.posted == Some(run));
        let is_it = asked.is_some();
        self.answer = asked.map(|question| (question.engine, answer)).or(self.answer.take());
        is_it
    }

    pub(super) fn take_history(&mut self, history: GateHistory) {
        // One that contradicts itself is none.
        let answer = match history.fits() {
            true => Ok(Shared::new(history.clone())),
            false => Err(UserError::new(
                say!("The gates of earlier moments could not be tried."),
                say!("The engine's answer contradicts itself."),
                say!("Reload the page; if this repeats, engine and page are of different versions."),
            )),
        };
        self.take_answer(history.run, answer);
    }

    /// Was it this question that could not be answered?
    pub(super) fn take_failure(&mut self, run: RunId, error: &UserError) -> bool {
        self.take_answer(run, Err(error.clone()))
    }

    /// The worker died, and may have died of it.
    pub(super) fn take_loss(&mut self, error: &UserError) {
        if let Some(run) = self.question.as_ref().and_then(|question| question.posted) {
            self.take_failure(run, error);
        }
    }
}

impl State {
    pub(super) fn ask_time_machine(&mut self) {
        // A figure's module has no panel that asks.
        if !cfg!(feature = "page") || self.cannot_compare().is_some() {
            return;
        }
        let text = self.on_screen().and_then(|run| fixed_text::text(run));
        if let Some((text, loaded)) = text.zip(self.worker.loaded()) {
            let question = Question { engine: EngineKey::of(loaded), text: text.into(), posted: None };
            self.time_machine.question = Some(question);
        }
    }

    pub fn time_machine(&self) -> &TimeMachine {
        &self.time_machine
    }

    /// Why the last question had no answer.
    pub fn time_machine_failure(&self) -> Option<&UserError> {
        self.time_machine.failure(&self.comparing_engine()?)
    }

    pub(super) fn gate_history(&self) -> Option<&Shared<GateHistory>> {
        self.time_machine.history(&self.comparing_engine()?)
    }

    /// The moment that is shown: the reader's, else the one nearest to a hundredth of the training.
    pub fn moment(&self) -> usize {
        let Some(moments) = self.moments() else { return 0 };
        let chosen = self.screen.moment.map(|moment| moment as usize);
        chosen.unwrap_or_else(|| moments.nearest(Moments::EARLY)).min(moments.num_moments() - 1)
    }
}
