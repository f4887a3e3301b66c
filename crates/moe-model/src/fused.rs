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
mod constants;
mod decided;
mod device_rule;
mod experts;
mod gate;
mod in_step;
mod known;
mod matrix;
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
use constants::Constants;
use decided::Decided;
use device_rule::DeviceRule;
use experts::FusedExperts;
use in_step::InStep;
pub use in_step::{TextToken, Texts};
use known::Known;
use matrix::Vocabulary;
use record::Record;
use route::{LayerRouter, RoutedBy};
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
    constants: Constants,
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
            constants: Constants::new(device),
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
        let attention = attention_params(config.attention(), num_tokens, step.first_position, config.max_tokens);
        let positions = Positions { angles: &self.angles, params: attention };
        let rows_len = rule.map_or(0, |rule| num_tokens * routing_width(config.num_experts, rule.k));
        let record_len = config.num_layers * rows_len;
        let (num_losses, num_logits) = match follow_one_another {
            true => (num_tokens - 1, config.vocab_size),
            false => (0, num_tokens * config.vocab_size),
        };
        let mut record = Record::new(record_len + num_losses + num_logits, &self.device);
        // All that goes to the device goes before the first launch.
        let by = rule.map(|rule| RoutedBy::new(rule, num_tokens, &layers, step.inputs, &mut self.constants));
        let targets = step.ids[1..].iter().map(|&id| id as i32).chain([-1]).collect();
        let targets = (num_losses > 0).then(|| ops::int_tensor(targets, &self.device));
        let has_shared = self.blocks.iter().any(|block| block.shared_experts.is_some());
        let to_all = has_shared.then(|| self.constants.requests_to_all(num_tokens));

        let mut x = self.vocabulary.embed(&ids, row);
        for (layer, block) in self.blocks.iter_mut().enumerate() {
            let norm = &block.attention_norm;
            x = match &mut in_step {
                None => block.attention.add_to(&x, norm, row, &positions),
                Some(in_step) => block.attention.add_to_each(&x, norm, row, &self.angles, in_step.of_layer(layer)),
            };
            if let Some(watched) = &mut self.watched {
                watched.push(x.clone());
            }
            let (normed, rows) = match &by {
                Some(by) => block.router.on_device(&x, &block.moe_norm, layer, by, &mut record),
                None => {
                    let normed = ops::rms_norm(&x, &block.moe_norm, row);
                    let (inputs, earlier) = (step.inputs.get(layer), layers[layer].logits());
                    let routed = block.router.on_host(&normed, router, inputs, earlier).await;
                    let (rows, gate_logits, routing) = routed.map_err(|error| in_layer(layer, error.0))?;
                    layers[layer] = Decided::new(&gate_logits, routing);
                    (normed, rows)
                }
            };
            x = block.experts.add_to(&x, &normed, &rows);
            if let (Some(shared), Some(to_all)) = (&block.shared_experts, &to_all) {
                x = shared.add_to(&x, &normed, to_all);
            }
        }
        match targets {
            None => self.vocabulary.add_logits(&x, &self.final_norm, row, &mut record),
            // The logits of all tokens are needed for the losses, and those of the last one beside them.
            Some(targets) => {
                let num_all = num_tokens * config.vocab_size;
                let mut all = Record::new(num_all, &self.device);
                self.vocabulary.add_logits(&x, &self.final_norm, row, &mut all);
                let all = all.into_rows(num_tokens);
                let loss = LossParams { num_tokens: row.num_tokens, vocab_size: config.vocab_size as u32 };
                record.add(&ops::token_loss(&all, &targets, loss), 0, num_losses);
                record.add(&all, num_all - num_logits, num_logits);
            }
        }

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
