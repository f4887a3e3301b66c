//! A training as bytes, and one that goes on from them: here, in another worker, tomorrow. A safetensors file with the
//! weights, the optimiser's moments, and as its one text the request, the step and what else decides what comes next.
//!
//! The reader's own text is part of the request, and so of the file.

use std::collections::BTreeMap;
use std::rc::Rc;

use moe_learn::saved::{self, Saved};
use moe_model::checkpoint::CheckpointError;
use moe_model::checkpoint::exact::Exact;
use moe_model::{Device, TensorError};
use moe_trace::training::TrainRequest;
use moe_trace::{RunId, UserError};
use serde::{Deserialize, Serialize};

use crate::request;
use crate::teacher::AboutTeacher;
use crate::training::Training;

/// What such a file calls itself.
const KIND: &str = "moe-playground training";

/// What the file's text says, as JSON.
#[derive(Serialize, Deserialize)]
struct About {
    request: TrainRequest,
    next_step: u32,
    /// Those that were made: later ones have numbers of their own.
    num_snapshots: u32,
    /// Of each parameter, the steps that moved it.
    moved: BTreeMap<String, u64>,
    /// Whom it learns from; that one's weights stand beside its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    teacher: Option<AboutTeacher>,
}

/// All that decides what comes next.
pub async fn bytes(training: &Training) -> Result<Vec<u8>, TensorError> {
    let Saved { mut tensors, moved } = saved::save(&training.learner).await?;
    let teacher = match &training.teacher {
        Some(teacher) => Some(teacher.add_to(&mut tensors).await?),
        None => None,
    };
    let (request, next_step, num_snapshots) = (training.request.clone(), training.next_step, training.num_snapshots());
    let about = About { request, next_step, num_snapshots, moved, teacher };
    let failed = |error: &dyn std::fmt::Display| TensorError(error.to_string());
    let about = serde_json::to_string(&about).map_err(|error| failed(&error))?;
    Exact { tensors, about }.to_bytes(KIND).map_err(|error| failed(&error))
}

/// The training that a file holds, as `run`. It will go on by itself.
pub fn open(bytes: &[u8], run: RunId, device: &Device) -> Result<Training, UserError> {
    let Exact { mut tensors, about } = Exact::from_bytes(bytes, KIND).map_err(|error| match error {
        CheckpointError::Unreadable(_) | CheckpointError::Other { .. } => foreign(&error),
        _ => damaged(&error),
    })?;
    let about: About = serde_json::from_str(&about).map_err(|error| {
        let why = "It was saved by another version of this page.";
        not_opened(why, "Choose a file that this version saved.").with_details(error)
    })?;
    let About { request, next_step, num_snapshots, moved, teacher } = about;
    let request = TrainRequest { run, ..request };
    if next_step.max(num_snapshots) > request::MOST_STEPS {
        let most = request::MOST_STEPS;
        let why = format!("It tells of {next_step} steps and {num_snapshots} snapshots; there may be at most {most}.");
        return Err(not_opened(why, "Choose another file."));
    }
    let teacher = match teacher {
        Some(teacher) => {
            let teacher = teacher.open(&mut tensors, &request, device).map_err(said)?;
            Some(Rc::new(teacher.map_err(|error| damaged(&error))?))
        }
        None => None,
    };
    let mut learner = request::learner(&request, device).map_err(said)?;
    saved::restore(&mut learner, &Saved { tensors, moved }).map_err(|error| damaged(&error))?;
    let mut training = Training::resumed(request, learner, next_step, num_snapshots).map_err(said)?;
    training.teacher = teacher;
    Ok(training)
}

fn not_opened(why: impl Into<String>, try_this: &str) -> UserError {
    UserError::new("The training was not opened.", why, try_this)
}

fn foreign(error: &CheckpointError) -> UserError {
    not_opened("This is no file of a training, or only a part of one.", "Choose a file that was saved here.")
        .with_details(error)
}

fn damaged(error: &CheckpointError) -> UserError {
    not_opened(format!("The file does not fit what it says of itself: {error}."), "Choose another file.")
}

/// What a start is refused for, an opened file is too.
fn said(error: UserError) -> UserError {
    UserError { what: "The training was not opened.".to_owned(), ..error }
}

#[cfg(test)]
mod tests {
    use moe_fuzz::{Dice, tensors, trial_of_much_work};
    use moe_trace::training::{AuxiliaryLoss, TrainedRule, TrainedSizes, TrainingText, WeightedLoss};
    use moe_trace::{Overflow, RouterSpec, RoutingSpec};

    use super::*;

    /// A training of four experts, after a step.
    fn training(device: &Device) -> Training {
        let routing = RoutingSpec { router: RouterSpec::Switch, overflow: Overflow::Dropless };
        let request = TrainRequest {
            run: RunId(1),
            model: TrainedSizes {
                d_model: 16,
                num_layers: 1,
                num_heads: 2,
                num_experts: 4,
                d_expert: 16,
                num_shared_experts: 0,
            },
            rule: TrainedRule::Assigns(routing),
            text: TrainingText::Own { text: "It is a truth universally acknowledged. ".repeat(20) },
            num_sequences: 2,
            num_tokens: 16,
            learning_rate: 1e-2,
            losses: vec![WeightedLoss { loss: AuxiliaryLoss::Balance, coefficient: 0.01 }],
            bias_step: 0.0,
            seed: 1,
            probe: "abcdef".to_owned(),
            snapshot_every: 0,
            upcycling: None,
        };
        let mut training = Training::start(request, device).expect("top-1 of four");
        pollster::block_on(training.step(&|| 0.0)).expect("it learns");
        training
    }

    #[test]
    fn fuzz_saved_trainings() {
        let device = Device::flex();
        let file = pollster::block_on(bytes(&training(&device))).expect("it can be saved");
        assert!(open(&file, RunId(1), &device).is_ok());
        let make = |dice: &mut Dice| tensors::spoilt(&file, dice);
        trial_of_much_work("saved trainings", 200, make, |file| {
            let Ok(mut training) = open(file, RunId(2), &device) else { return false };
            // What is taken can be kept, and saved again.
            training.keep();
            pollster::block_on(bytes(&training)).is_ok()
        });
    }

    /// After so many, the next one would have no number.
    #[test]
    fn more_steps_than_can_be_counted_are_refused() {
        let device = Device::flex();
        let mut training = training(&device);
        training.next_step = u32::MAX;
        let file = pollster::block_on(bytes(&training)).expect("it can be saved");
        let error = open(&file, RunId(1), &device).err().expect("too many");
        let why = "It tells of 4294967295 steps and 0 snapshots; there may be at most 1000000000.";
        assert_eq!(error.why, why);
    }
}
