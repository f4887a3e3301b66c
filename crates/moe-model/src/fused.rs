//! The fast path: a few custom kernels per layer, a key-value cache, one read-back per step.
//!
//! Rules that the kernels know (top-k in its weightings, Switch, GShard with all or proportional second experts, dense)
//! are decided on the device. Any other rule is decided by `moe-router` on the host, at the price of a read-back per
//! layer; the experts run the same kernels either way.

mod attention;
mod device_rule;
mod experts;
mod gate;
mod params;
mod record;
mod route;
mod step;

use burn::tensor::{Device, Tensor, TensorData};
use moe_kernels::params::{LossParams, RowParams};
use moe_kernels::{ops, routing_width};
use moe_router::Router;
use moe_trace::{LayerIdx, LayerTrace};

use crate::config::ModelConfig;
use crate::read_back::{TensorError, read};
use crate::routing_rows;
use crate::weights::{self, Weights};
use attention::{FusedAttention, Positions, attention_params};
use device_rule::DeviceRule;
use experts::FusedExperts;
use params::ParamsCache;
use record::Record;
use route::LayerRouter;
pub use step::{StepInput, StepOutput};

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
        })
    }

    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Runs the tokens of a step through the model.
    ///
    /// The caller keeps `first_position + ids.len()` within `max_tokens`, and `ids` non-empty and in the vocabulary.
    pub async fn forward(&mut self, step: &StepInput<'_>, router: &Router) -> Result<StepOutput, TensorError> {
        let config = &self.config;
        let num_tokens = step.ids.len();
        let ids = ops::int_tensor(step.ids.iter().map(|&id| id as i32).collect(), &self.device);
        let row = RowParams { num_tokens: num_tokens as u32, d_model: config.d_model as u32 };
        let row = self.params.get(row.to_words());
        let attention = attention_params(config.attention(), num_tokens, step.first_position, config.max_tokens);
        let positions = Positions { angles: &self.angles, params: ops::int_tensor(attention.to_words(), &self.device) };
        let rule = DeviceRule::new(router, num_tokens)
            .filter(|_| self.blocks.iter().all(|block| block.router.suits_the_kernels()));
        let rows_len = rule.map_or(0, |rule| num_tokens * routing_width(config.num_experts, rule.k));
        let record_len = config.num_layers * rows_len;
        let mut record = Record::new(record_len + num_tokens + config.vocab_size, &self.device);
        let mut host_layers = Vec::new();

        let mut x = ops::embed(&ids, &self.embedding, &row);
        for (layer, block) in self.blocks.iter_mut().enumerate() {
            let normed = ops::rms_norm(&x, &block.attention_norm, &row);
            x = block.attention.add_to(&x, &normed, &positions, &mut self.params);
            let normed = ops::rms_norm(&x, &block.moe_norm, &row);
            let inputs = step.inputs.get(layer);
            let rows = match rule {
                Some(rule) => {
                    let rows = block.router.on_device(&normed, rule, inputs, &mut self.params);
                    record.add(&rows, 0, rows_len, &mut self.params);
                    rows
                }
                None => {
                    let routed = block.router.on_host(&normed, router, inputs, &mut self.params).await;
                    let (rows, gate_logits, routing) = routed.map_err(|error| in_layer(layer, error.0))?;
                    host_layers.push(LayerTrace::decided(LayerIdx(layer as u32), gate_logits, routing));
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
        let layers = match rule {
            Some(rule) => rows
                .chunks_exact(rows_len)
                .enumerate()
                .map(|(layer, rows)| {
                    let (gate_logits, routing) = routing_rows::read(rows, config.num_experts, rule.k, rule.capacity)
                        .map_err(|error| in_layer(layer, error))?;
                    Ok(LayerTrace::decided(LayerIdx(layer as u32), gate_logits, routing))
                })
                .collect::<Result<Vec<_>, TensorError>>()?,
            None => host_layers,
        };
        let (losses, rest) = rest.split_at(num_tokens);
        let (losses, logits) = (&losses[..num_tokens - 1], &rest[..config.vocab_size]);
        if losses.iter().chain(logits).any(|value| !value.is_finite()) {
            return Err(TensorError("the last layer's numbers are not finite".to_owned()));
        }
        Ok(StepOutput { layers, losses: losses.to_vec(), logits: logits.to_vec() })
    }
}

fn in_layer(layer: usize, error: impl std::fmt::Display) -> TensorError {
    TensorError(format!("layer {layer}: {error}"))
}
