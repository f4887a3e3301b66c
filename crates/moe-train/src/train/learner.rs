//! A model that learns: weights, optimiser, and what a step does to them.

use anyhow::{Context, Result};
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor, TensorData};
use moe_model::reference::{self, Forward};
use moe_model::{ModelConfig, Weights};
use moe_router::Router;
use moe_router::losses::bias_update;

use super::data::Batch;
use super::run_file::{self, RunFile};
use super::{burn_block_on, clip, draws_of, loss};

/// A model that learns.
pub struct Learner {
    pub config: ModelConfig,
    pub router: Router,
    pub device: Device,
    pub weights: Weights,
    pub optimizer: ModuleOptimizer,
}

impl Learner {
    /// One that has learned nothing.
    pub fn new(run: &RunFile, vocab_size: usize, device: Device) -> Result<Learner> {
        let config = run.config(vocab_size);
        let optimizer = AdamWConfig::new().with_beta_2(0.95).with_weight_decay(run.training.weight_decay as f32).init();
        let weights = Weights::random(&config, run.seed, &device.clone().autodiff());
        Ok(Learner { router: Router::new(run.routing()?, config.num_experts)?, config, device, weights, optimizer })
    }

    /// One optimiser step.
    pub fn step(&mut self, run: &RunFile, batch: &Batch, step: usize) -> Result<(loss::Losses, Forward)> {
        let run_file::Training { balance, z, bias_step, gradient_clip, .. } = run.training;
        let (ids, targets) = batch.to_tensors(&self.device.clone().autodiff());
        let draws = draws_of(*self.router.spec(), run.seed ^ step as u64, batch.ids.len(), &self.config);
        let inputs = |layer: usize, sequence| batch.routing_inputs(&draws[layer], sequence);
        let forward = burn_block_on(reference::forward(&self.weights, &self.config, ids, &self.router, &inputs))?;
        let losses = loss::losses(&forward, targets, &self.router);
        let total = losses.cross_entropy.clone() + losses.balance.clone() * balance + losses.z.clone() * z;
        let mut gradients = GradientsParams::from_grads(total.backward(), &self.weights);
        clip::clip(&mut gradients, &self.weights, gradient_clip);
        self.weights = self.optimizer.step(run.learning_rate_at(step), self.weights.clone(), gradients);
        if bias_step > 0.0 {
            move_biases(&mut self.weights, &forward, bias_step)?;
        }
        Ok((losses, forward))
    }
}

/// Loss-free balancing: experts that were asked less than the mean get a higher bias, the others a lower one.
fn move_biases(weights: &mut Weights, forward: &Forward, step: f32) -> Result<()> {
    for (block, layer) in weights.blocks.iter_mut().zip(&forward.layers) {
        let Some(bias) = block.gate_bias.take() else { continue };
        let values = bias.val().into_data().try_to_vec::<f32>().context("biases are f32")?;
        let mut demand = vec![0; values.len()];
        for a in layer.routings.iter().flat_map(|routing| &routing.assignments) {
            demand[a.expert.index()] += 1;
        }
        let moved = TensorData::new(bias_update(&values, &demand, step), [values.len()]);
        block.gate_bias = Some(bias.map(|tensor| Tensor::from_data(moved, &tensor.device())));
    }
    Ok(())
}
