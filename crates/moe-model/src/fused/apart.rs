//! Several decode steps in one pass: tokens that are known already, as a prompt's are, and share no capacity.

use moe_router::Router;

use super::step::{StepInput, StepOutput};
use super::{Decided, Fused, Group, Passed};
use crate::read_back::TensorError;

impl Fused {
    /// What [`Fused::forward`] gives for these tokens one after the other, each a group of its own; or nothing, where only
    /// the host knows the rule, and one after the other is how they have to be run.
    pub async fn forward_apart(
        &mut self,
        steps: &StepInput<'_>,
        router: &Router,
    ) -> Result<Option<Vec<StepOutput>>, TensorError> {
        if self.device_rule(router, 1, steps.inputs).is_none() {
            return Ok(None);
        }
        self.known = None;
        let all = self.pass(steps, Group::Each, router).await?;
        let of_tokens = all.logits.chunks_exact(self.config.vocab_size).enumerate().map(|(token, logits)| {
            let layers: Vec<Decided> = all.layers.iter().map(|layer| layer.alone(token)).collect();
            Passed { layers, capacity: all.capacity, losses: Vec::new(), logits: logits.to_vec() }.output(1)
        });
        of_tokens.collect::<Result<Vec<StepOutput>, TensorError>>().map(Some)
    }
}
