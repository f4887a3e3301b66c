//! What outlives the worker: the newest state that both trainings were saved at, trainings that are opened from one, and
//! files of them.

use moe_trace::{Bytes, RunId, TrainCommand, TrainEvent, UserError};

use super::Lab;
use crate::run::shared::Shared;
use crate::run::training::Training;
use crate::state::Effect;

/// Bytes of a file, at most: four million parameters, twelve bytes each, and a text.
pub const MOST_BYTES: usize = 64_000_000;

/// A file that the reader chose.
#[derive(Debug, Clone, PartialEq)]
pub struct ChosenFile {
    pub name: String,
    /// `None` where it is larger than [`MOST_BYTES`], or the browser would not give it.
    pub bytes: Option<Bytes>,
}

impl Lab {
    /// The steps that the two can go on from in another worker: the newest that both were saved at, or where there is
    /// none, of each its own newest.
    pub fn safe_steps(&self) -> Option<[u32; 2]> {
        let [first, second] = self.trainings.as_ref()?;
        let newest = |training: &Training| training.saved.last().map(|saved| saved.next_step);
        self.common_step().map(|step| [step; 2]).or(Some([newest(first)?, newest(second)?]))
    }

    fn common_step(&self) -> Option<u32> {
        let [first, second] = self.trainings.as_ref()?;
        let is_of_second = |step: &u32| second.saved.iter().any(|saved| saved.next_step == *step);
        first.saved.iter().map(|saved| saved.next_step).filter(is_of_second).max()
    }

    /// Where the worker is gone: the steps from which the trainings can go on.
    pub fn offers(&self) -> Option<[u32; 2]> {
        self.safe_steps().filter(|_| self.is_lost)
    }

    /// Goes on from there in another worker.
    pub(super) fn revive(&mut self, effects: &mut Vec<Effect>) {
        let (Some(steps), Some(lost)) = (self.offers(), self.trainings.clone()) else { return };
        self.give_up_opening(effects);
        self.problem = None;
        let opening = [0, 1].map(|side| {
            let (training, step, run) = (&lost[side], steps[side], self.next_run());
            let saved = training.saved.iter().find(|saved| saved.next_step == step);
            if let Some(saved) = saved {
                effects.push(open(run, &saved.bytes));
            }
            Shared::new(training.reopened(run, step))
        });
        self.opening = Some(opening);
    }

    /// Opens one file as both trainings, or two, one each. Until both are there, what was there goes on.
    pub(super) fn open(&mut self, files: &[ChosenFile], effects: &mut Vec<Effect>) {
        let both = match files {
            [] => return,
            [one] => [one, one],
            [first, second] => [first, second],
            _ => {
                let why = many!(
                    files.len(),
                    "1 file was chosen; one is opened as both, or two, one each.",
                    "{n} files were chosen; one is opened as both, or two, one each."
                );
                return self.refuse(why, say!("Choose one file or two."));
            }
        };
        let none = Bytes::from(Vec::new());
        if let Some(file) = both.iter().find(|file| file.bytes.is_none()) {
            let why = say!(
                "{name} could not be read, or is larger than {most} MB.",
                name = file.name,
                most = MOST_BYTES / 1_000_000
            );
            return self.refuse(why, say!("Choose a file that was saved here."));
        }
        self.give_up_opening(effects);
        self.problem = None;
        let opened = both.map(|file| {
            let (run, bytes) = (self.next_run(), file.bytes.as_ref().unwrap_or(&none));
            effects.push(open(run, bytes));
            // The trainer tells its settings.
            let mut training = Training::new(self.experiment.requests([run, RunId(0)], "", &[])[0].clone());
            training.name = Some(file.name.clone());
            Shared::new(training)
        });
        self.opening = Some(opened);
    }

    fn refuse(&mut self, why: String, try_this: impl Into<String>) {
        self.problem = Some(UserError::new(say!("The training was not opened."), why, try_this));
    }

    /// A training of these told something. Both take the place of what was there once both are there.
    pub(super) fn told_opening(&mut self, event: &TrainEvent, effects: &mut Vec<Effect>) {
        if let TrainEvent::Failed { error, .. } = event {
            self.give_up_opening(effects);
            self.problem = Some(error.clone());
            // What is lost already needs no worker.
            if self.trainings.is_none() || self.is_lost {
                self.end_worker(effects);
            }
            return;
        }
        let Some(mut opening) = self.opening.take() else { return };
        take(&mut opening, event);
        if opening.iter().any(|training| training.saved.is_empty()) {
            self.opening = Some(opening);
            return;
        }
        if !self.is_lost {
            self.ask(effects, |training| Some(TrainCommand::Stop(training.request.run)));
        }
        (self.trainings, self.looks_at, self.is_lost) = (Some(opening), None, false);
    }

    pub(super) fn give_up_opening(&mut self, effects: &mut Vec<Effect>) {
        let given_up = self.opening.take();
        let stop = |training: &Shared<Training>| Effect::Train(TrainCommand::Stop(training.request.run));
        effects.extend(given_up.iter().flatten().map(stop));
    }

    /// Of what was saved, no more is kept than both need to go on from the same step, and never more than two states of
    /// each.
    pub(super) fn forget_saved(&mut self) {
        let oldest = self.common_step().unwrap_or(0);
        self.update(|training| {
            training.saved.retain(|saved| saved.next_step >= oldest);
            let num_extra = training.saved.len().saturating_sub(2);
            training.saved.drain(..num_extra);
        });
    }

    /// The newest state of a side, as a file.
    pub(super) fn keep_file(&self, side: usize, effects: &mut Vec<Effect>) {
        let training = self.trainings.as_ref().and_then(|trainings| trainings.get(side));
        let Some(saved) = training.and_then(|training| training.saved.last()) else { return };
        let letter = ["a", "b"][side.min(1)];
        let name = format!("{}-{letter}-step-{}.safetensors", self.experiment.name.as_str(), saved.next_step);
        effects.push(Effect::KeepFile { name, bytes: saved.bytes.clone() });
    }
}

/// Lets those of this run take up what was told.
pub(super) fn take(trainings: &mut [Shared<Training>; 2], event: &TrainEvent) {
    let Some(run) = event.run() else { return };
    for training in trainings.iter_mut().filter(|training| training.request.run == run) {
        let mut next = Training::clone(training);
        next.take(event);
        *training = Shared::new(next);
    }
}

fn open(run: RunId, saved: &Bytes) -> Effect {
    Effect::Train(TrainCommand::Open { run, saved: saved.clone() })
}
