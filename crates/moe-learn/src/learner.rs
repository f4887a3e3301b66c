//! A model that learns: weights, optimiser, and what a step does to them.

use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor, TensorData};
use moe_model::read_back::read;
use moe_model::reference::{self, Forward, Rule};
use moe_model::{ModelConfig, TensorError, Weights};
use moe_router::SpecError;
use moe_router::losses::bias_update;
use moe_trace::training::{AuxiliaryLoss, TrainedRule, WeightedLoss};

use crate::auxiliary::{self, Unfit};
use crate::batch::Batch;
use crate::recipe::Recipe;
use crate::{adam, chance, clip, loss};

/// A model that learns.
#[derive(Clone)]
pub struct Learner {
    pub config: ModelConfig,
    pub rule: Rule,
    pub recipe: Recipe,
    /// Without autodiff.
    pub device: Device,
    pub weights: Weights,
    pub optimizer: ModuleOptimizer,
}

/// The parts of the loss of a step, unscaled.
#[derive(Debug, Clone, PartialEq)]
pub struct LossValues {
    /// Nats per token.
    pub cross_entropy: f32,
    /// In the order of the recipe.
    pub auxiliary: Vec<f32>,
}

/// A learner that cannot be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LearnerError {
    #[error(transparent)]
    Rule(#[from] SpecError),
    #[error("{loss:?}: {unfit}")]
    Loss { loss: AuxiliaryLoss, unfit: Unfit },
}

/// What a step saw, before it changed the weights.
pub struct Step {
    pub losses: LossValues,
    /// Of all parameters together, before it was clipped.
    pub gradient_norm: f32,
    pub forward: Forward,
}

impl Learner {
    /// One that has learned nothing.
    pub fn new(
        config: ModelConfig,
        rule: impl Into<TrainedRule>,
        recipe: Recipe,
        device: Device,
    ) -> Result<Learner, LearnerError> {
        let rule = rule.into();
        check_losses(&recipe.losses, &rule)?;
        let optimizer = adam::optimizer(recipe.weight_decay);
        let weights = Weights::random(&config, recipe.seed, &device.clone().autodiff());
        Ok(Learner { rule: Rule::new(rule, config.num_experts)?, config, recipe, device, weights, optimizer })
    }

    /// One optimiser step, the `step`th of the run, from 0.
    pub async fn step(&mut self, batch: &Batch, step: usize) -> Result<Step, TensorError> {
        self.step_towards(batch, step, |_, _, own| own).await
    }

    /// A step that minimises what `towards` makes of the weights, their forward pass and the loss that is the learner's own,
    /// auxiliary losses included.
    pub async fn step_towards(
        &mut self,
        batch: &Batch,
        step: usize,
        towards: impl FnOnce(&Weights, &Forward, Tensor<1>) -> Tensor<1>,
    ) -> Result<Step, TensorError> {
        let Recipe { seed, bias_step, gradient_clip, .. } = self.recipe;
        let (ids, targets) = batch.to_tensors(&self.device.clone().autodiff());
        let draws = chance::in_training(self.rule.spec(), seed ^ step as u64, batch.ids.len(), &self.config);
        let inputs = |layer: usize, sequence| batch.routing_inputs(&draws[layer], sequence);
        let forward = reference::forward(&self.weights, &self.config, ids, self.rule, &inputs).await?;
        let cross_entropy = loss::cross_entropy(forward.logits.clone(), targets).mean();
        let mut parts = vec![cross_entropy.clone()];
        let mut total = cross_entropy;
        for &WeightedLoss { loss, coefficient } in &self.recipe.losses {
            let value = auxiliary::value(loss, &forward, &self.rule, &draws);
            total = total + value.clone() * coefficient;
            parts.push(value);
        }
        let total = towards(&self.weights, &forward, total);
        let mut gradients = GradientsParams::from_grads(total.backward(), &self.weights);
        let gradient_norm = clip::clip(&mut gradients, &self.weights, gradient_clip).await?;
        self.weights = self.optimizer.step(self.recipe.learning_rate_at(step), self.weights.clone(), gradients);
        if bias_step > 0.0 {
            move_biases(&mut self.weights, &forward, bias_step).await?;
        }
        let values = read(Tensor::cat(parts, 0)).await?;
        let losses = LossValues { cross_entropy: values[0], auxiliary: values[1..].to_vec() };
        Ok(Step { losses, gradient_norm, forward })
    }
}

/// Does every loss that weighs something mean something under this rule?
pub fn check_losses(losses: &[WeightedLoss], rule: &TrainedRule) -> Result<(), LearnerError> {
    losses.iter().filter(|of| of.coefficient != 0.0).try_for_each(|&WeightedLoss { loss, .. }| {
        auxiliary::check(loss, rule).map_err(|unfit| LearnerError::Loss { loss, unfit })
    })
}

/// Loss-free balancing: experts that were asked less than the mean get a higher bias, the others a lower one.
async fn move_biases(weights: &mut Weights, forward: &Forward, step: f32) -> Result<(), TensorError> {
    for (block, layer) in weights.blocks.iter_mut().zip(&forward.layers) {
        let Some(bias) = &block.selection_bias else { continue };
        let values = read(bias.val()).await?;
        let mut demand = vec![0; values.len()];
        for a in layer.routings.iter().flat_map(|routing| &routing.assignments) {
            demand[a.expert.index()] += 1;
        }
        let moved = TensorData::new(bias_update(&values, &demand, step), [values.len()]);
        block.selection_bias =
            block.selection_bias.take().map(|bias| bias.map(|tensor| Tensor::from_data(moved, &tensor.device())));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use moe_trace::RoutingSpec;

    use super::*;
    use crate::corpus::{Corpus, Domain};

    #[test]
    fn steps_lower_the_loss_and_a_seed_repeats_them() {
        let ids: Vec<u16> = (0..600u32).map(|at| (at * at % 48) as u16).collect();
        let domain = Domain { name: "text".to_owned(), train: ids.clone(), valid: ids, valid_bytes_per_token: 2.0 };
        let corpus = Corpus { domains: vec![domain], vocab_size: 48 };
        let recipe = Recipe {
            seed: 3,
            steps: 20,
            learning_rate: 1e-2,
            warm_up: 2,
            weight_decay: 0.1,
            gradient_clip: 1.0,
            losses: vec![
                WeightedLoss { loss: AuxiliaryLoss::SequenceBalance, coefficient: 1e-2 },
                WeightedLoss { loss: AuxiliaryLoss::Z, coefficient: 1e-3 },
            ],
            bias_step: 0.01,
        };
        let config = ModelConfig { selection_bias: true, ..ModelConfig::tiny() };
        let learn = || {
            let learner = Learner::new(config.clone(), RoutingSpec::default(), recipe.clone(), Device::flex());
            let mut learner = learner.expect("top-2 of 4");
            let losses = (0..recipe.steps).map(|step| {
                let batch = corpus.training_batch(2, 16, recipe.seed, step);
                pollster::block_on(learner.step(&batch, step)).expect("it learns").losses
            });
            losses.collect::<Vec<LossValues>>()
        };
        let losses = learn();
        let (first, last) = (losses[0].cross_entropy, losses[recipe.steps - 1].cross_entropy);
        assert!(last < first - 0.5, "{first} became {last}");
        assert_eq!(losses, learn());
    }
}
