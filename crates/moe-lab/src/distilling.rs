//! Experts that teach one feed-forward: they are merged, teach for so many steps, and what is left of the cost is told.

use std::rc::Rc;

use moe_model::{Device, TensorError};
use moe_trace::UserError;
use moe_trace::training::Distilling;

use crate::reshape::{self, refused};
use crate::teacher::Teacher;
use crate::training::{State, Training};

/// Steps of distilling, at most.
const MOST_STEPS: u32 = 100_000;

/// Merges the experts and lets the one that comes of it learn from them. Held-out nats per token before and after merging.
pub async fn begin(training: &mut Training, plan: Distilling, device: &Device) -> Result<[f32; 2], UserError> {
    if plan.num_steps() == 0 || plan.num_steps() > MOST_STEPS {
        let why = format!("{} steps of distilling are asked for; there may be 1 to {MOST_STEPS}.", plan.num_steps());
        return Err(refused(why, "Choose another number."));
    }
    let (learner, request) = (training.learner.clone(), training.request.clone());
    let held_out = reshape::merge(training, device).await?;
    training.teacher = Some(Rc::new(Teacher::new(&learner, &request, plan, training.next_step, held_out)));
    training.state = State::Stepping(plan.num_steps());
    Ok(held_out)
}

/// Sends the teacher away where all steps are done. Held-out nats per token: of the experts, of their mean, and now.
pub async fn end_if_due(training: &mut Training) -> Result<Option<[f32; 3]>, TensorError> {
    let done = training.teacher.as_ref().and_then(|teacher| teacher.is_done(training.next_step));
    let Some([experts, mean]) = done else { return Ok(None) };
    training.teacher = None;
    let now = reshape::held_out_loss(&training.learner, training).await?;
    Ok(Some([experts, mean, now]))
}
