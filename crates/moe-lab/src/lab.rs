//! Many trainings, one at a time: those that run take turns, a step each, so that two of one seed stay side by side.

mod adapters;

use moe_model::{Device, TensorError};
use moe_trace::training::{NewExperts, TrainCommand, TrainEvent, TrainRequest, TrainSetting};
use moe_trace::{RunId, UserError};

use crate::adapting::Adapting;
use crate::text;
use crate::training::{State, Training};
use crate::{distilling, report, request, reshape, saved};

/// The trainings that there are.
pub struct Lab {
    device: Device,
    trainings: Vec<Training>,
    /// Whose step was the last.
    turn: usize,
    /// Adapters beside a frozen model; one such model at a time, as it is large.
    adapting: Option<Adapting>,
    /// Was the last step one of theirs?
    adapters_had_turn: bool,
}

/// Who is told.
pub type Tell<'a> = &'a mut dyn FnMut(TrainEvent);

impl Lab {
    /// `device`: without autodiff.
    pub fn new(device: Device) -> Lab {
        let (adapting, adapters_had_turn) = (None, false);
        Lab { device, trainings: Vec::new(), turn: 0, adapting, adapters_had_turn }
    }

    /// Would [`Lab::advance`] do anything?
    pub fn is_busy(&self) -> bool {
        self.a_training_is_busy() || self.adapters_are_busy()
    }

    fn a_training_is_busy(&self) -> bool {
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
        let others_wait = self.a_training_is_busy();
        self.adapters_had_turn = self.adapters_are_busy() && !(self.adapters_had_turn && others_wait);
        if self.adapters_had_turn {
            return self.advance_adapters(now_ms, tell).await;
        }
        let count = self.trainings.len();
        let next = (1..=count).map(|ahead| (self.turn + ahead) % count.max(1));
        let Some(at) = next.into_iter().find(|&at| self.trainings[at].state != State::Resting) else { return };
        self.turn = at;
        let training = &mut self.trainings[at];
        let run = training.request.run;
        let num_snapshots = training.num_snapshots();
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
        if let Some(experts) = self.trainings[at].upcycling_is_due()
            && let Err(error) = self.upcycle(run, &experts, tell).await
        {
            let training = &mut self.trainings[at];
            (training.state, training.request.upcycling) = (State::Resting, None);
            tell(TrainEvent::Failed { run, error, fatal: false });
        }
        match distilling::end_if_due(&mut self.trainings[at]).await {
            Ok(None) => {}
            Ok(Some(held_out)) => {
                tell(TrainEvent::Distilled { run, held_out });
                if let Err(error) = self.snapshot(at, tell).await {
                    return self.lose(run, &error, tell);
                }
            }
            Err(error) => return self.lose(run, &error, tell),
        }
        let is_due = self.trainings[at].snapshot_is_due() && self.trainings[at].num_snapshots() == num_snapshots;
        if is_due && let Err(error) = self.snapshot(at, tell).await {
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
        if self.adapting.as_ref().is_some_and(|adapting| adapting.run() == command.run()) {
            return self.steer_adapters(command, tell).await;
        }
        match command {
            TrainCommand::Adapt(adaptation) => return self.adapt(*adaptation, tell).await,
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
                resized(&before, training).into_iter().for_each(&mut *tell);
                tell_changes(&before, &training.request, tell);
                tell(TrainEvent::Resting { run, next_step: training.next_step });
                self.save(run, tell).await?;
            }
            TrainCommand::Fork { run, snapshot, into } => {
                let training = self.training(run)?;
                let before = training.request.clone();
                let fork = training.fork(snapshot, into)?;
                let after = fork.request.clone();
                let resized = resized(&before, &fork);
                self.begin(fork, tell);
                resized.into_iter().for_each(&mut *tell);
                tell_changes(&before, &after, tell);
                self.save(into, tell).await?;
            }
            TrainCommand::Open { run, saved } => {
                let training = saved::open(&saved, run, &self.device)?;
                let (request, next_step) = (training.request.clone(), training.next_step);
                self.begin(training, tell);
                tell(TrainEvent::Opened { run, request, next_step });
                self.first_snapshot(run, tell).await?;
            }
            TrainCommand::Upcycle { run, experts } => self.upcycle(run, &experts, tell).await?,
            TrainCommand::Merge(run) => {
                let at = self.place(run)?;
                let held_out = reshape::merge(&mut self.trainings[at], &self.device).await?;
                self.reshaped(at, held_out, tell).await?;
            }
            TrainCommand::Distil { run, plan } => {
                let at = self.place(run)?;
                let held_out = distilling::begin(&mut self.trainings[at], plan, &self.device).await?;
                self.reshaped(at, held_out, tell).await?;
            }
            TrainCommand::Stop(run) => {
                self.trainings.retain(|training| training.request.run != run);
                tell(TrainEvent::Stopped { run });
            }
        }
        Ok(())
    }

    async fn start(&mut self, request: TrainRequest, tell: Tell<'_>) -> Result<(), UserError> {
        if let Some(planned) = &request.upcycling {
            // What will come of it is checked before it begins.
            let later = reshape::upcycled_request(&request, &planned.experts)?;
            request::learner(&later, &self.device)?;
        }
        let training = Training::start(request, &self.device)?;
        let run = training.request.run;
        self.begin(training, tell);
        self.first_snapshot(run, tell).await
    }

    /// What a training is like before it has learned anything here, and a state to go back to.
    async fn first_snapshot(&mut self, run: RunId, tell: Tell<'_>) -> Result<(), UserError> {
        let at = self.place(run)?;
        self.snapshot(at, tell).await.map_err(|error| broken(&error))
    }

    async fn upcycle(&mut self, run: RunId, experts: &NewExperts, tell: Tell<'_>) -> Result<(), UserError> {
        let at = self.place(run)?;
        let held_out = reshape::upcycle(&mut self.trainings[at], experts, &self.device).await?;
        self.reshaped(at, held_out, tell).await
    }

    /// Tells what became of a model, and keeps the state.
    async fn reshaped(&mut self, at: usize, held_out: [f32; 2], tell: Tell<'_>) -> Result<(), UserError> {
        tell(reshaped_event(&self.trainings[at], Some(held_out)));
        self.snapshot(at, tell).await.map_err(|error| broken(&error))
    }

    /// Tells all that a training needs to go on from where it is.
    async fn save(&mut self, run: RunId, tell: Tell<'_>) -> Result<(), UserError> {
        let training = self.training(run)?;
        tell(saved_event(training).await.map_err(|error| broken(&error))?);
        Ok(())
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
        tell(saved_event(training).await?);
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

fn reshaped_event(training: &Training, held_out: Option<[f32; 2]>) -> TrainEvent {
    let (request, num_parameters) = (training.request.clone(), training.learner.config.num_parameters() as u32);
    TrainEvent::Reshaped { run: request.run, request, num_parameters, held_out }
}

/// So does a model of other sizes.
fn resized(before: &TrainRequest, after: &Training) -> Option<TrainEvent> {
    let sizes = |request: &TrainRequest| (request.model, request.upcycling);
    (sizes(before) != sizes(&after.request)).then(|| reshaped_event(after, None))
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

async fn saved_event(training: &Training) -> Result<TrainEvent, TensorError> {
    let saved = saved::bytes(training).await?.into();
    Ok(TrainEvent::Saved { run: training.request.run, next_step: training.next_step, saved })
}

fn broken(error: &TensorError) -> UserError {
    UserError::new("The training stopped.", "The numbers could not be computed.", "Start it again, perhaps smaller.")
        .with_details(error)
}
