//! The fast path: a few custom kernels per layer, a key-value cache, one read-back per step.
//!
//! Rules that the kernels know (top-k in its weightings, Switch, GShard with all or proportional second experts, dense)
//! are decided on the device. Any other rule, and any that a reader changes something about, is decided by `moe-router`
//! on the host, at the price of a read-back per layer; the experts run the same kernels either way.
//!
//! A text that is routed as one group and grows is run by [`Fused::forward_text`], which computes only what may have
//! changed. Tokens that are a group each are run together by [`Fused::forward_apart`], those of several texts that share
//! capacity by [`Fused::forward_in_step`].
//!
//! On the CPU the matrices may stay 8 bit ([`Fused::packed`]); the numbers are others then, by the rounding of activations
//! to 16 bits.

mod apart;
mod attention;
mod decided;
mod device_rule;
mod experts;
mod gate;
mod in_step;
mod known;
mod matrix;
mod params;
mod record;
mod route;
mod step;
mod text;
mod then;

use burn::tensor::{Device, Tensor, TensorData};
use moe_kernels::params::{LossParams, RowParams};
use moe_kernels::{ops, routing_width};
use moe_router::Router;
use moe_trace::LayerIdx;

use crate::config::ModelConfig;
use crate::packed::{PackedBlock, PackedWeights};
use crate::read_back::{TensorError, read};
use crate::routing_inputs::RoutingInputs;
use crate::routing_rows;
use crate::weights::{self, Weights};
use attention::{FusedAttention, Positions, attention_params};
use decided::Decided;
use device_rule::DeviceRule;
use experts::FusedExperts;
use in_step::InStep;
pub use in_step::{TextToken, Texts};
use known::Known;
use matrix::Vocabulary;
use params::ParamsCache;
use record::Record;
use route::{LayerRouter, Taken};
pub use step::{StepInput, StepOutput};
pub use text::Extent;

/// A model ready to run, on any device.
pub struct Fused {
    config: ModelConfig,
    device: Device,
    vocabulary: Vocabulary,
    blocks: Vec<Block>,
    final_norm: Tensor<1>,
    angles: Tensor<3>,
    params: ParamsCache,
    extent: Extent,
    /// The text whose keys and values are in the cache, if it may go on.
    known: Option<Known>,
    /// States before the norm of each block's gate, `[tokens, d_model]`, while somebody asks for them.
    watched: Option<Vec<Tensor<2>>>,
}

/// Which tokens share capacity.
enum Group<'a> {
    /// Those of the pass, after others of which this was decided, by layer. Empty where there are no others; else their
    /// keys and values are in the cache.
    One(Vec<Decided>),
    /// None: each token is a group of its own. Only for rules that the kernels know.
    Each,
    /// Those of the pass, each of a text of its own.
    InStep(InStep<'a>),
}

/// What came of a pass, about all tokens of its group.
struct Passed {
    layers: Vec<Decided>,
    capacity: Option<u32>,
    /// Nats of the next token, for all of the pass but the last; none where tokens are a group or a text each.
    losses: Vec<f32>,
    /// After the last token; where tokens are a group or a text each, after every one.
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
            router: LayerRouter::new(block.gate, block.selection_bias.as_ref(), device).await?,
            attention_norm: block.attention_norm.into_value(),
            attention: FusedAttention::new(block.attention, max_tokens, device),
            moe_norm: block.moe_norm.into_value(),
            experts: FusedExperts::routed(block.experts),
            shared_experts: block.shared_experts.map(FusedExperts::shared),
        })
    }

    async fn packed(block: PackedBlock, max_tokens: usize, device: &Device) -> Result<Block, TensorError> {
        Ok(Block {
            router: LayerRouter::new(block.gate, block.selection_bias.as_ref(), device).await?,
            attention_norm: block.attention_norm,
            attention: FusedAttention::packed(block.attention, max_tokens, device),
            moe_norm: block.moe_norm,
            experts: FusedExperts::Packed(block.experts),
            shared_experts: block.shared_experts.map(FusedExperts::Packed),
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
        let vocabulary = Vocabulary::F32 { embedding, head };
        Ok(Fused::of_parts(config, vocabulary, blocks, weights.final_norm.into_value(), device))
    }

    /// A model whose matrices stay 8 bit, on the CPU.
    pub async fn packed(config: ModelConfig, weights: PackedWeights) -> Result<Fused, TensorError> {
        let device = moe_kernels::device::cpu();
        let mut blocks = Vec::with_capacity(config.num_layers);
        for block in weights.blocks {
            blocks.push(Block::packed(block, config.max_tokens, &device).await?);
        }
        Ok(Fused::of_parts(config, Vocabulary::Packed(weights.head), blocks, weights.final_norm, &device))
    }

    fn of_parts(
        config: ModelConfig,
        vocabulary: Vocabulary,
        blocks: Vec<Block>,
        final_norm: Tensor<1>,
        device: &Device,
    ) -> Fused {
        let angles = TensorData::new(config.rope_angles(), [config.max_tokens, 2, config.d_head / 2]);
        Fused {
            blocks,
            vocabulary,
            final_norm,
            angles: Tensor::from_data(angles, device),
            params: ParamsCache::new(device),
            device: device.clone(),
            config,
            extent: Extent::default(),
            known: None,
            watched: None,
        }
    }

    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Runs the tokens of a step through the model, as a group of their own.
    ///
    /// The caller keeps `first_position + ids.len()` within `max_tokens`, and `ids` non-empty and in the vocabulary.
    pub async fn forward(&mut self, step: &StepInput<'_>, router: &Router) -> Result<StepOutput, TensorError> {
        self.known = None;
        self.pass(step, Group::One(Vec::new()), router).await?.output(step.ids.len())
    }

    /// The rule as the kernels know it for a group of so many tokens, if they can compute all gates and nobody changes
    /// what these say.
    fn device_rule(&self, router: &Router, num_tokens: usize, inputs: &[RoutingInputs]) -> Option<DeviceRule> {
        let suits_the_kernels = self.blocks.iter().all(|block| block.router.suits_the_kernels())
            && inputs.iter().all(|inputs| inputs.changes.is_empty());
        DeviceRule::new(router, num_tokens).filter(|_| suits_the_kernels)
    }

    /// Runs tokens through the model. `step.inputs` are of the whole group, the earlier tokens included.
    async fn pass(&mut self, step: &StepInput<'_>, group: Group<'_>, router: &Router) -> Result<Passed, TensorError> {
        let num_tokens = step.ids.len();
        let (mut layers, is_one, mut in_step) = match group {
            Group::One(layers) => (layers, true, None),
            Group::Each => (Vec::new(), false, None),
            Group::InStep(in_step) => (Vec::new(), true, Some(in_step)),
        };
        let follow_one_another = is_one && in_step.is_none();
        let num_earlier = layers.first().map_or(0, Decided::num_tokens);
        let num_in_group = if is_one { num_earlier + num_tokens } else { 1 };
        let rule = self.device_rule(router, num_in_group, step.inputs);
        let rule = if is_one { rule } else { rule.map(DeviceRule::for_tokens_alone) };
        let config = &self.config;
        layers.resize_with(config.num_layers, || Decided::nothing(config.num_experts));
        let ids = ops::int_tensor(step.ids.iter().map(|&id| id as i32).collect(), &self.device);
        let row = RowParams { num_tokens: num_tokens as u32, d_model: config.d_model as u32 };
        let row = self.params.get(row.to_words());
        let attention = attention_params(config.attention(), num_tokens, step.first_position, config.max_tokens);
        let positions = Positions { angles: &self.angles, params: ops::int_tensor(attention.to_words(), &self.device) };
        let rows_len = rule.map_or(0, |rule| num_tokens * routing_width(config.num_experts, rule.k));
        let record_len = config.num_layers * rows_len;
        let (num_losses, num_logits) = match follow_one_another {
            true => (num_tokens - 1, config.vocab_size),
            false => (0, num_tokens * config.vocab_size),
        };
        let mut record = Record::new(record_len + num_losses + num_logits, &self.device);
        let taken: Vec<i32> = layers.iter().flat_map(Decided::taken).collect();
        let taken = match num_earlier {
            0 => self.params.get(taken),
            _ => ops::int_tensor(taken, &self.device),
        };

        let mut x = self.vocabulary.embed(&ids, &row);
        for (layer, block) in self.blocks.iter_mut().enumerate() {
            let normed = ops::rms_norm(&x, &block.attention_norm, &row);
            x = match &mut in_step {
                None => block.attention.add_to(&x, &normed, &positions, &mut self.params),
                Some(in_step) => {
                    let texts = in_step.of_layer(layer);
                    block.attention.add_to_each(&x, &normed, &self.angles, texts, &mut self.params)
                }
            };
            if let Some(watched) = &mut self.watched {
                watched.push(x.clone());
            }
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
        let logits = self.vocabulary.logits(&normed, &mut self.params);
        if num_losses > 0 {
            let targets = step.ids[1..].iter().map(|&id| id as i32).chain([-1]).collect();
            let targets = ops::int_tensor(targets, &self.device);
            let loss = LossParams { num_tokens: num_tokens as u32, vocab_size: config.vocab_size as u32 };
            let losses = ops::token_loss(&logits, &targets, &self.params.get(loss.to_words()));
            record.add(&losses, 0, num_losses, &mut self.params);
        }
        record.add(&logits, num_tokens * config.vocab_size - num_logits, num_logits, &mut self.params);

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
        let (losses, logits) = rest.split_at(num_losses);
        if losses.iter().chain(logits).any(|value| !value.is_finite()) {
            return Err(TensorError("the last layer's numbers are not finite".to_owned()));
        }
        Ok(Passed { layers, capacity, losses: losses.to_vec(), logits: logits.to_vec() })
    }
}

fn in_layer(layer: usize, error: impl std::fmt::Display) -> TensorError {
    TensorError(format!("layer {layer}: {error}"))
}
