//! A training whose model gets another number of experts: those of a dense feed-forward, or one of many.

use moe_learn::saved::{restore, save};
use moe_learn::{Learner, held_out, reshape};
use moe_model::{Device, TensorError};
use moe_trace::training::{NewExperts, TrainRequest, TrainedRule, TrainedSizes};
use moe_trace::{Overflow, RouterSpec, RoutingSpec, UserError};

use crate::request;
use crate::training::Training;

/// Noise beyond this is no noise any more.
const MOST_NOISE: f32 = 1.0;

/// Why the experts stayed as they were.
pub fn refused(why: impl Into<String>, try_this: &str) -> UserError {
    UserError::new("The experts were not changed.", why, try_this)
}

fn failed(error: TensorError) -> UserError {
    refused("The numbers could not be computed.", "Try it again from a snapshot.").with_details(error)
}

/// A request once its dense feed-forward has become experts.
pub fn upcycled_request(request: &TrainRequest, made: &NewExperts) -> Result<TrainRequest, UserError> {
    if request.model.num_experts != 1 {
        let why = format!("This model has {} experts already.", request.model.num_experts);
        return Err(refused(why, "Merge them into one first."));
    }
    if made.num_experts < 2 {
        return Err(refused(format!("{} is no number of experts.", made.num_experts), "Choose two or more."));
    }
    if !(0.0..=MOST_NOISE).contains(&made.noise) {
        return Err(refused(format!("The noise is {}.", made.noise), "Choose one from 0 to 1."));
    }
    let model = TrainedSizes { num_experts: made.num_experts, ..request.model };
    Ok(TrainRequest { model, rule: made.rule, upcycling: None, ..request.clone() })
}

/// Copies the dense feed-forward of each layer into experts.
pub async fn upcycle(training: &mut Training, made: &NewExperts, device: &Device) -> Result<[f32; 2], UserError> {
    let request = upcycled_request(&training.request, made)?;
    let mut learner = request::learner(&request, device).map_err(said)?;
    let dense = save(&training.learner).await.map_err(failed)?;
    let fresh = save(&learner).await.map_err(failed)?;
    let sparse = reshape::upcycled(&dense, &fresh, made.noise, u64::from(request.seed));
    restore(&mut learner, &sparse).map_err(|error| failed(TensorError(error.to_string())))?;
    replace(training, request, learner).await
}

/// Averages the experts of each layer into one, by how often held-out text asks each.
pub async fn merge(training: &mut Training, device: &Device) -> Result<[f32; 2], UserError> {
    if training.request.model.num_experts == 1 {
        return Err(refused("This model has one expert.", "Make experts of it first."));
    }
    let model = TrainedSizes { num_experts: 1, ..training.request.model };
    let dense = RoutingSpec { router: RouterSpec::Dense, overflow: Overflow::Dropless };
    let rule = TrainedRule::Assigns(dense);
    let request = TrainRequest { model, rule, upcycling: None, ..training.request.clone() };
    let mut learner = request::learner(&request, device).map_err(said)?;
    let num_tokens = request.num_tokens as usize;
    let found = held_out::by_domain(&training.learner, training.corpus(), num_tokens).await.map_err(failed)?;
    let mut loads = vec![vec![0.0; training.request.model.num_experts as usize]; model.num_layers as usize];
    for demand in found.iter().map(|of| &of.demand) {
        for (sums, counts) in loads.iter_mut().zip(demand) {
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += f64::from(*count));
        }
    }
    let sparse = save(&training.learner).await.map_err(failed)?;
    let fresh = save(&learner).await.map_err(failed)?;
    let merged = reshape::merged(&sparse, &fresh, &loads);
    restore(&mut learner, &merged).map_err(|error| failed(TensorError(error.to_string())))?;
    replace(training, request, learner).await
}

/// Held-out nats per token before and after.
async fn replace(training: &mut Training, request: TrainRequest, learner: Learner) -> Result<[f32; 2], UserError> {
    let before = held_out_loss(&training.learner, training).await.map_err(failed)?;
    let after = held_out_loss(&learner, training).await.map_err(failed)?;
    (training.request, training.learner, training.teacher) = (request, learner, None);
    Ok([before, after])
}

/// Nats a token, on the held-out text of a training.
pub async fn held_out_loss(learner: &Learner, training: &Training) -> Result<f32, TensorError> {
    let num_tokens = training.request.num_tokens as usize;
    Ok(held_out::mean(&held_out::by_domain(learner, training.corpus(), num_tokens).await?))
}

fn said(error: UserError) -> UserError {
    UserError { what: "The experts were not changed.".to_owned(), ..error }
}
