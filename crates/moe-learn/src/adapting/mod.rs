//! A frozen model and adapters that learn beside it (arXiv:2309.05444): gradients reach the adapters only.

mod localised;
mod numbers;

use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Int, Tensor};
use moe_model::forms::adapters::{Adapters, AdaptersConfig};
use moe_model::read_back::read;
use moe_model::reference::{self, LayerOutcome, Rule};
use moe_model::{ModelConfig, Router, TensorError, Weights};

use crate::batch::Batch;
use crate::corpus::Corpus;
use crate::recipe::Recipe;
use crate::{adam, chance, clip, loss};
pub use localised::{DELTA, localised};
pub use numbers::{load, numbers};

/// Windows of held-out text of each kind.
const WINDOWS: usize = 8;

/// A model that nothing here changes.
pub struct Frozen {
    pub config: ModelConfig,
    pub router: Router,
    /// Without autodiff.
    pub device: Device,
    /// As they were read, without autodiff.
    plain: Weights,
    /// The same on a device with autodiff, of which no gradient is asked.
    on_graph: Weights,
}

/// Adapters that learn.
pub struct AdapterLearner {
    pub config: AdaptersConfig,
    pub recipe: Recipe,
    pub adapters: Adapters,
    /// Coefficient of the localised balance loss; 0 for none.
    pub balance: f32,
    optimizer: ModuleOptimizer,
}

/// What a step saw, before it changed the adapters.
pub struct AdapterStep {
    /// Nats per token.
    pub cross_entropy: f32,
    /// The localised balance loss, unscaled; `None` where it has no coefficient.
    pub balance: Option<f32>,
    /// Of all adapters together, before it was clipped.
    pub gradient_norm: f32,
    /// Each adapter's mean share, `[layers][adapters]`.
    pub shares: Vec<Vec<f32>>,
}

/// What a text comes to under a model.
struct Outcome {
    /// `[sequences, tokens, vocabulary]`
    logits: Tensor<3>,
    /// Of each layer: every adapter's share, `[sequences, tokens, adapters]`.
    shares: Vec<Tensor<3>>,
}

impl Frozen {
    /// `weights`: on `device` with autodiff; `device`: without.
    pub fn new(config: ModelConfig, router: Router, weights: Weights, device: Device) -> Frozen {
        let on_graph = weights.no_grad();
        Frozen { config, router, device, plain: on_graph.valid(), on_graph }
    }

    /// The weights, of which a test may hold that they stay what they were.
    pub fn weights(&self) -> &Weights {
        &self.plain
    }

    /// Nats a token of each kind of held-out text, on a few fixed windows: of the model alone, or with adapters.
    pub async fn held_out(
        &self,
        adapters: Option<&Adapters>,
        corpus: &Corpus,
        num_tokens: usize,
    ) -> Result<Vec<f32>, TensorError> {
        let mut found = Vec::with_capacity(corpus.domains.len());
        for domain in &corpus.domains {
            let batch = Batch::new(domain.held_out_windows(WINDOWS, num_tokens), num_tokens);
            let (ids, targets) = batch.to_tensors(&self.device);
            let Outcome { logits, .. } = self.run(&self.plain, adapters, ids, &batch).await?;
            found.push(read(loss::cross_entropy(logits, targets).mean()).await?[0]);
        }
        Ok(found)
    }

    /// Every adapter's share of each token of a text that is not empty, `[layers][tokens · adapters]`.
    pub async fn shares(&self, adapters: &Adapters, text: &[u16]) -> Result<Vec<Vec<f32>>, TensorError> {
        // What follows the text is asked of no one.
        let window = [text, &[0]].concat();
        let batch = Batch::new(std::iter::once(&window[..]), text.len());
        let (ids, _) = batch.to_tensors(&self.device);
        let mut found = Vec::with_capacity(self.config.num_layers);
        for shares in self.run(&self.plain, Some(adapters), ids, &batch).await?.shares {
            found.push(read(shares).await?);
        }
        Ok(found)
    }

    /// The frozen layers route as they do where nobody learns.
    async fn run(
        &self,
        weights: &Weights,
        adapters: Option<&Adapters>,
        ids: Tensor<2, Int>,
        batch: &Batch,
    ) -> Result<Outcome, TensorError> {
        let draws = chance::at_inference(*self.router.spec(), batch.ids.len(), &self.config);
        let inputs = |layer: usize, sequence| batch.routing_inputs(&draws[layer], sequence);
        let mut found = Vec::new();
        let mut beside = |number: usize, outcome: &LayerOutcome, y: Tensor<3>| match adapters {
            None => y,
            Some(adapters) => {
                let (y, shares) = adapters.layers[number].forward(outcome.hidden.clone(), y);
                found.push(shares);
                y
            }
        };
        let rule = Rule::from(&self.router);
        let forward = reference::forward_beside(weights, &self.config, ids, rule, &inputs, &mut beside).await?;
        Ok(Outcome { logits: forward.logits, shares: found })
    }
}

impl AdapterLearner {
    /// Adapters that have learned nothing: with them the model says what it says without.
    pub fn new(config: AdaptersConfig, recipe: Recipe, balance: f32, device: &Device) -> AdapterLearner {
        let adapters = config.init(recipe.seed, &device.clone().autodiff());
        let optimizer = adam::optimizer(recipe.weight_decay);
        AdapterLearner { config, recipe, adapters, balance, optimizer }
    }

    /// One optimiser step, the `step`th, from 0. `kinds`: of each sequence of the batch, its kind of text.
    pub async fn step(
        &mut self,
        frozen: &Frozen,
        batch: &Batch,
        kinds: &[usize],
        step: usize,
    ) -> Result<AdapterStep, TensorError> {
        let (ids, targets) = batch.to_tensors(&frozen.device.clone().autodiff());
        let Outcome { logits, shares } = frozen.run(&frozen.on_graph, Some(&self.adapters), ids, batch).await?;
        let cross_entropy = loss::cross_entropy(logits, targets).mean();
        let mut seen = vec![cross_entropy.clone()];
        let mut total = cross_entropy;
        if self.balance != 0.0 {
            let balance = localised(&shares, kinds);
            total = total + balance.clone() * self.balance;
            seen.push(balance);
        }
        let num_losses = seen.len();
        let num_adapters = self.config.num_adapters;
        for shares in &shares {
            let [num_sequences, num_tokens, _] = shares.dims();
            let rows = shares.clone().reshape([num_sequences * num_tokens, num_adapters]);
            seen.push(rows.mean_dim(0).reshape([num_adapters]));
        }
        let mut gradients = GradientsParams::from_grads(total.backward(), &self.adapters);
        let gradient_norm = clip::clip(&mut gradients, &self.adapters, self.recipe.gradient_clip).await?;
        let rate = self.recipe.learning_rate_at(step);
        self.adapters = self.optimizer.step(rate, self.adapters.clone(), gradients);
        let values = read(Tensor::cat(seen, 0)).await?;
        let (losses, shares) = values.split_at(num_losses);
        Ok(AdapterStep {
            cross_entropy: losses[0],
            balance: losses.get(1).copied(),
            gradient_norm,
            shares: shares.chunks(num_adapters).map(<[f32]>::to_vec).collect(),
        })
    }

    /// The adapters as they are used: without autodiff.
    pub fn plain(&self) -> Adapters {
        self.adapters.valid()
    }
}

#[cfg(test)]
mod tests;
