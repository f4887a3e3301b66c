//! The fast path: a few custom kernels per layer, a key-value cache, one read-back per step.
//!
//! Rules that the kernels know (top-k in its weightings, Switch, GShard with all or proportional second experts, dense)
//! are decided on the device. Any other rule is decided by `moe-router` on the host, at the price of a read-back per
//! layer; the experts run the same kernels either way.
//!
//! A text that is routed as one group and grows is run by [`Fused::forward_text`], which computes only what may have
//! changed.

mod attention;
mod decided;
mod device_rule;
mod experts;
mod gate;
mod known;
mod params;
mod record;
mod route;
mod step;
mod text;

use burn::tensor::{Device, Tensor, TensorData};
use moe_kernels::params::{LossParams, RowParams};
use moe_kernels::{ops, routing_width};
use moe_router::Router;
use moe_trace::LayerIdx;

use crate::config::ModelConfig;
use crate::read_back::{TensorError, read};
use crate::routing_rows;
use crate::weights::{self, Weights};
use attention::{FusedAttention, Positions, attention_params};
use decided::Decided;
use device_rule::DeviceRule;
use experts::FusedExperts;
use known::Known;
use params::ParamsCache;
use record::Record;
use route::{LayerRouter, Taken};
pub use step::{StepInput, StepOutput};
pub use text::Extent;

/// A model ready to run, on any device.
pub struct Fused {
    config: ModelConfig,
    device: Device,
    embedding: Tensor<2>,
    /// The embedding transposed, `[d_model, vocabulary]`.
    head: Tensor<2>,
    blocks: Vec<Block>,
    final_norm: Tensor<1>,
    angles: Tensor<3>,
    params: ParamsCache,
    extent: Extent,
    /// The text whose keys and values are in the cache, if it may go on.
    known: Option<Known>,
}

/// What came of a pass, about all tokens of its group.
struct Passed {
    layers: Vec<Decided>,
    capacity: Option<u32>,
    losses: Vec<f32>,
    logits: Vec<f32>,
}

impl Passed {
    fn output(&self, num_computed: usize) -> Result<StepOutput, TensorError> {
        let layers = self.layers.iter().zip(0..).map(|(layer, index)| layer.trace(LayerIdx(index), self.capacity));
        let layers = layers.collect::<Result<_, _>>().map_err(|error| TensorError(error.to_string()))?;
        Ok(StepOutput { layers, losses: self.losses.clone(), logits: self.logits.clone(), num_computed })
    }
}

struct Block {
    attention_norm: Tensor<1>,
    attention: FusedAttention,
    moe_norm: Tensor<1>,
    router: LayerRouter,
    experts: FusedExperts,
    shared_experts: Option<FusedExperts>,
}

impl Block {
    async fn new(block: weights::Block, max_tokens: usize, device: &Device) -> Result<Block, TensorError> {
        Ok(Block {
            router: LayerRouter::new(&block, device).await?,
            attention_norm: block.attention_norm.into_value(),
            attention: FusedAttention::new(block.attention, max_tokens, device),
            moe_norm: block.moe_norm.into_value(),
            experts: FusedExperts::routed(block.experts),
            shared_experts: block.shared_experts.map(FusedExperts::shared),
        })
    }
}

impl Fused {
    /// Arranges weights as the kernels want them. The transposed embedding is made on the host, once.
    pub async fn new(config: ModelConfig, weights: Weights, device: &Device) -> Result<Fused, TensorError> {
        let embedding = weights.embedding.into_value();
        let table = read(embedding.clone()).await?;
        let (rows, columns) = (config.vocab_size, config.d_model);
        let transposed = (0..rows * columns).map(|at| table[at % rows * columns + at / rows]).collect::<Vec<f32>>();
        let head = Tensor::from_data(TensorData::new(transposed, [columns, rows]), device);
        let mut blocks = Vec::with_capacity(config.num_layers);
        for block in weights.blocks {
            blocks.push(Block::new(block, config.max_tokens, device).await?);
        }
        let angles = TensorData::new(config.rope_angles(), [config.max_tokens, 2, config.d_head / 2]);
        Ok(Fused {
            blocks,
            head,
            embedding,
            final_norm: weights.final_norm.into_value(),
            angles: Tensor::from_data(angles, device),
            params: ParamsCache::new(device),
            device: device.clone(),
            config,
            extent: Extent::default(),
            known: None,
        })
    }

    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Runs the tokens of a step through the model, as a group of their own.
    ///
    /// The caller keeps `first_position + ids.len()` within `max_tokens`, and `ids` non-empty and in the vocabulary.
    pub async fn forward(&mut self, step: &StepInput<'_>, router: &Router) -> Result<StepOutput, TensorError> {
        self.known = None;
        self.pass(step, Vec::new(), router).await?.output(step.ids.len())
    }

    /// The same for tokens that go on with a group. `layers`: what was decided about its earlier tokens, whose keys and
    /// values are in the cache; empty where there are none. `step.inputs` are of the whole group.
    async fn pass(
        &mut self,
        step: &StepInput<'_>,
        mut layers: Vec<Decided>,
        router: &Router,
    ) -> Result<Passed, TensorError> {
        let config = &self.config;
        let num_tokens = step.ids.len();
        layers.resize_with(config.num_layers, || Decided::nothing(config.num_experts));
        let num_earlier = layers.first().map_or(0, Decided::num_tokens);
        let num_in_group = num_earlier + num_tokens;
        let ids = ops::int_tensor(step.ids.iter().map(|&id| id as i32).collect(), &self.device);
        let row = RowParams { num_tokens: num_tokens as u32, d_model: config.d_model as u32 };
        let row = self.params.get(row.to_words());
        let attention = attention_params(config.attention(), num_tokens, step.first_position, config.max_tokens);
        let positions = Positions { angles: &self.angles, params: ops::int_tensor(attention.to_words(), &self.device) };
        let rule = DeviceRule::new(router, num_in_group)
            .filter(|_| self.blocks.iter().all(|block| block.router.suits_the_kernels()));
        let rows_len = rule.map_or(0, |rule| num_tokens * routing_width(config.num_experts, rule.k));
        let record_len = config.num_layers * rows_len;
        let mut record = Record::new(record_len + num_tokens + config.vocab_size, &self.device);
        let taken: Vec<i32> = layers.iter().flat_map(Decided::taken).collect();
        let taken = match num_earlier {
            0 => self.params.get(taken),
            _ => ops::int_tensor(taken, &self.device),
        };

        let mut x = ops::embed(&ids, &self.embedding, &row);
        for (layer, block) in self.blocks.iter_mut().enumerate() {
            let normed = ops::rms_norm(&x, &block.attention_norm, &row);
            x = block.attention.add_to(&x, &normed, &positions, &mut self.params);
            let normed = ops::rms_norm(&x, &block.moe_norm, &row);
            let inputs = step.inputs.get(layer);
            let rows = match rule {
                Some(rule) => {
                    let taken = Taken { slots: &taken, layer, num_tokens: num_earlier };
                    let rows = block.router.on_device(&normed, rule, inputs, taken, &mut self.params);
                    record.add(&rows, 0, rows_len, &mut self.params);
                    rows
                }
                None => {
                    let earlier = layers[layer].logits();
                    let routed = block.router.on_host(&normed, router, inputs, earlier, &mut self.params).await;
                    let (rows, gate_logits, routing) = routed.map_err(|error| in_layer(layer, error.0))?;
                    layers[layer] = Decided::new(&gate_logits, routing);
                    rows
                }
            };
            x = block.experts.add_to(&x, &normed, &rows, &mut self.params);
            if let Some(shared) = &block.shared_experts {
                let to_all = self.params.requests_to_all(num_tokens);
                x = shared.add_to(&x, &normed, &to_all, &mut self.params);
            }
        }
        let normed = ops::rms_norm(&x, &self.final_norm, &row);
        let head_params = self.params.linear(num_tokens, config.d_model, config.vocab_size);
        let logits = ops::linear(&normed, &self.head, &head_params);
        match num_tokens {
            // A token alone has no successor yet.
            1 => record.skip(1),
            _ => {
                let targets = step.ids[1..].iter().map(|&id| id as i32).chain([-1]).collect();
                let targets = ops::int_tensor(targets, &self.device);
                let loss = LossParams { num_tokens: num_tokens as u32, vocab_size: config.vocab_size as u32 };
                let losses = ops::token_loss(&logits, &targets, &self.params.get(loss.to_words()));
                record.add(&losses, 0, num_tokens, &mut self.params);
            }
        }
        let last = (num_tokens - 1) * config.vocab_size;
        record.add(&logits, last, config.vocab_size, &mut self.params);

        let values = record.read().await?;
        let (rows, rest) = values.split_at(record_len);
        let capacity = router.capacity(num_in_group);
        if let Some(rule) = rule {
            for (layer, (rows, decided)) in rows.chunks_exact(rows_len).zip(&mut layers).enumerate() {
                let (gate_logits, routing) = routing_rows::read(rows, config.num_experts, rule.k, capacity)
                    .map_err(|error| in_layer(layer, error))?;
                decided.append(&gate_logits, routing);
            }
        }
        let (losses, rest) = rest.split_at(num_tokens);
        let (losses, logits) = (&losses[..num_tokens - 1], &rest[..config.vocab_size]);
        if losses.iter().chain(logits).any(|value| !value.is_finite()) {
            return Err(TensorError("the last layer's numbers are not finite".to_owned()));
        }
        Ok(Passed { layers, capacity, losses: losses.to_vec(), logits: logits.to_vec() })
    }
}

fn in_layer(layer: usize, error: impl std::fmt::Display) -> TensorError {
    TensorError(format!("layer {layer}: {error}"))
}
