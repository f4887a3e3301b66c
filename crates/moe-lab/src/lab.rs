//! Many trainings, one at a time: those that run take turns, a step each, so that two of one seed stay side by side.

use moe_model::{Device, TensorError};
use moe_trace::training::{TrainCommand, TrainEvent, TrainRequest, TrainSetting};
use moe_trace::{RunId, UserError};

use crate::report;
use crate::text::{self, Shipped};
use crate::training::{State, Training};

/// The trainings that there are.
pub struct Lab {
    device: Device,
    trainings: Vec<Training>,
    /// Whose step was the last.
    turn: usize,
    /// Texts of kinds that a training may ask for.
    pub shipped: Shipped,
}

/// Who is told.
pub type Tell<'a> = &'a mut dyn FnMut(TrainEvent);

impl Lab {
    /// `device`: without autodiff.
    pub fn new(device: Device) -> Lab {
        Lab { device, trainings: Vec::new(), turn: 0, shipped: Vec::new() }
    }

    /// Would [`Lab::advance`] do anything?
    pub fn is_busy(&self) -> bool {
        self.trainings.iter().any(|training| training.state != State::Resting)
    }

    /// Does what is asked, or tells why not; a training that cannot do it stays as it is.
    pub async fn obey(&mut self, command: TrainCommand, tell: Tell<'_>) {
        let run = command.run();
        let failed = match self.try_to_obey(command, tell).await {
            Ok(()) => return,
            Err(error) => error,
        };
        tell(TrainEvent::Failed { run, error: failed, fatal: false });
    }

    /// One step of the training whose turn it is, with the snapshot that may be due.
    pub async fn advance(&mut self, now_ms: &dyn Fn() -> f64, tell: Tell<'_>) {
        let count = self.trainings.len();
        let next = (1..=count).map(|ahead| (self.turn + ahead) % count.max(1));
        let Some(at) = next.into_iter().find(|&at| self.trainings[at].state != State::Resting) else { return };
        self.turn = at;
        let training = &mut self.trainings[at];
        let run = training.request.run;
        let seen = match training.step(now_ms).await {
            Ok(seen) if seen.next_token.is_finite() => seen,
            Ok(seen) => {
                // Its weights are lost, but not its snapshots.
                training.state = State::Resting;
                let why = format!("The loss of step {} is {}: the steps are too large.", seen.step, seen.next_token);
                let error = UserError::new("The training diverged.", why, "Go back to a snapshot and learn slower.");
                tell(TrainEvent::Failed { run, error, fatal: false });
                return tell(TrainEvent::Resting { run, next_step: training.next_step });
            }
            Err(error) => return self.lose(run, &error, tell),
        };
        tell(TrainEvent::Step(seen));
        if self.trainings[at].snapshot_is_due()
            && let Err(error) = self.snapshot(at, tell).await
        {
            return self.lose(run, &error, tell);
        }
        let training = &mut self.trainings[at];
        if let State::Stepping(left) = training.state {
            training.state = if left > 1 { State::Stepping(left - 1) } else { State::Resting };
        }
        if training.state == State::Resting {
            tell(TrainEvent::Resting { run, next_step: training.next_step });
        }
    }

    async fn try_to_obey(&mut self, command: TrainCommand, tell: Tell<'_>) -> Result<(), UserError> {
        match command {
            TrainCommand::Start(request) => return self.start(request, tell).await,
            TrainCommand::Pause(run) => {
                let training = self.training(run)?;
                training.state = State::Resting;
                tell(TrainEvent::Resting { run, next_step: training.next_step });
            }
            TrainCommand::Resume(run) => self.training(run)?.state = State::Running,
            TrainCommand::Step { run, num_steps } => {
                let training = self.training(run)?;
                training.state = if num_steps == 0 { State::Resting } else { State::Stepping(num_steps) };
            }
            TrainCommand::Change { run, setting } => {
                self.training(run)?.change(&setting)?;
                tell(TrainEvent::Changed { run, setting });
            }
            TrainCommand::Snapshot(run) => {
                let at = self.place(run)?;
                self.snapshot(at, tell)
                    .await
                    .map_err(|error| UserError { what: "The snapshot was not made.".to_owned(), ..broken(&error) })?;
            }
            TrainCommand::Rewind { run, snapshot } => {
                let training = self.training(run)?;
                let before = training.request.clone();
                training.rewind(snapshot)?;
                tell_changes(&before, &training.request, tell);
                tell(TrainEvent::Resting { run, next_step: training.next_step });
            }
            TrainCommand::Fork { run, snapshot, into } => {
                let training = self.training(run)?;
                let before = training.request.clone();
                let fork = training.fork(snapshot, into)?;
                let after = fork.request.clone();
                self.begin(fork, tell);
                tell_changes(&before, &after, tell);
            }
            TrainCommand::Stop(run) => {
                self.trainings.retain(|training| training.request.run != run);
                tell(TrainEvent::Stopped { run });
            }
        }
        Ok(())
    }

    async fn start(&mut self, request: TrainRequest, tell: Tell<'_>) -> Result<(), UserError> {
        let training = Training::start(request, &self.device, &self.shipped)?;
        self.begin(training, tell);
        let at = self.trainings.len() - 1;
        // What it is like before it has learned anything, and a state to go back to.
        self.snapshot(at, tell).await.map_err(|error| broken(&error))
    }

    fn begin(&mut self, training: Training, tell: Tell<'_>) {
        let run = training.request.run;
        let num_parameters = training.learner.config.num_parameters() as u32;
        tell(TrainEvent::Started { run, num_parameters, floor: text::floor(training.corpus()) });
        if training.state == State::Resting {
            tell(TrainEvent::Resting { run, next_step: training.next_step });
        }
        self.trainings.push(training);
    }

    async fn snapshot(&mut self, at: usize, tell: Tell<'_>) -> Result<(), TensorError> {
        let training = &mut self.trainings[at];
        let (snapshot, forgotten) = training.keep();
        let run = training.request.run;
        tell(TrainEvent::Snapshot(report::snapshot(training, snapshot).await?));
        forgotten.into_iter().for_each(|snapshot| tell(TrainEvent::Forgotten { run, snapshot }));
        Ok(())
    }

    /// A training whose device failed is over.
    fn lose(&mut self, run: RunId, error: &TensorError, tell: Tell<'_>) {
        self.trainings.retain(|training| training.request.run != run);
        tell(TrainEvent::Failed { run, error: broken(error), fatal: true });
    }

    fn place(&self, run: RunId) -> Result<usize, UserError> {
        self.trainings.iter().position(|training| training.request.run == run).ok_or_else(|| {
            UserError::new("There is no such training.", format!("Number {} has ended.", run.0), "Start a new one.")
        })
    }

    fn training(&mut self, run: RunId) -> Result<&mut Training, UserError> {
        let at = self.place(run)?;
        Ok(&mut self.trainings[at])
    }
}

/// A state that is gone back to brings its settings along.
fn tell_changes(before: &TrainRequest, after: &TrainRequest, tell: Tell<'_>) {
    let run = after.run;
    let settings = |request: &TrainRequest| {
        [
            TrainSetting::LearningRate(request.learning_rate),
            TrainSetting::Losses(request.losses.clone()),
            TrainSetting::BiasStep(request.bias_step),
            TrainSetting::Rule(request.rule),
            TrainSetting::NumSequences(request.num_sequences),
            TrainSetting::Probe(request.probe.clone()),
        ]
    };
    for (before, setting) in settings(before).into_iter().zip(settings(after)) {
        if before != setting {
            tell(TrainEvent::Changed { run, setting });
        }
    }
}

fn broken(error: &TensorError) -> UserError {
    UserError::new("The training stopped.", "The numbers could not be computed.", "Start it again, perhaps smaller.")
        .with_details(error)
}
