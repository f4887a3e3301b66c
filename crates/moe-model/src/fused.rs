//! The fast path: a few custom kernels per layer, a key-value cache, one read-back per step.
//!
//! Rules that the kernels know (top-k in its weightings, Switch, GShard with all or proportional second experts, dense)
//! are decided on the device. Any other rule is decided by `moe-router` on the host, at the price of a read-back per
//! layer; the experts run the same kernels either way.

mod cosine_gate;
mod device_rule;
mod params;
mod record;
mod shared;

use burn::tensor::{Device, Int, Tensor, TensorData};
use moe_kernels::ops;
use moe_kernels::params::{
    AttentionParams, ExpertParams, GateParams, LinearParams, LossParams, OrderParams, RowParams, SlotParams,
};
use moe_kernels::routing_width;
use moe_router::{Router, RouterInput};
use moe_trace::{GateLogits, LayerIdx, LayerTrace};

use crate::config::{GateForm, ModelConfig};
use crate::reference::TensorError;
use crate::routing_inputs::RoutingInputs;
use crate::routing_rows;
use crate::weights::Weights;
use cosine_gate::CosineGate;
use device_rule::DeviceRule;
use params::ParamsCache;
use record::Record;
use shared::Shared;

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
    w_qkv: Tensor<2>,
    w_out: Tensor<2>,
    moe_norm: Tensor<1>,
    gate: Tensor<2>,
    /// Instead of a linear gate; computed on the host.
    cosine: Option<CosineGate>,
    /// `[experts]`, or empty.
    gate_bias: Vec<f32>,
    w_gate: Tensor<3>,
    w_up: Tensor<3>,
    w_down: Tensor<3>,
    shared: Option<Shared>,
    /// `[2, max_tokens, kv_heads · d_head]`: keys, values. Taken while a kernel writes into it.
    cache: Option<Tensor<3>>,
}

/// What goes into one forward pass.
#[derive(Debug, Clone, Copy)]
pub struct Pass<'a> {
    /// The tokens of this pass, which share capacity.
    pub ids: &'a [u32],
    /// Position in the text of `ids[0]`; earlier positions are in the cache from passes before.
    pub first_position: usize,
    /// What routing sees besides gate logits, one per layer; or empty for rules that need nothing.
    pub inputs: &'a [RoutingInputs],
}

/// What comes out of one forward pass.
#[derive(Debug)]
pub struct Outcome {
    pub layers: Vec<LayerTrace>,
    /// Nats of `ids[t + 1]` after `ids[..=t]`, `[tokens - 1]`.
    pub losses: Vec<f32>,
    /// Logits after the last token, `[vocabulary]`.
    pub logits: Vec<f32>,
}

impl Fused {
    /// Arranges weights as the kernels want them. The transposed embedding is made on the host, once.
    pub async fn new(config: ModelConfig, weights: Weights, device: &Device) -> Result<Fused, TensorError> {
        let (_, d_keys) = config.d_attention();
        let embedding = weights.embedding.into_value();
        let table = read(embedding.clone()).await?;
        let (rows, columns) = (config.vocab_size, config.d_model);
        let transposed = (0..rows * columns).map(|at| table[at % rows * columns + at / rows]).collect::<Vec<f32>>();
        let head = Tensor::from_data(TensorData::new(transposed, [columns, rows]), device);
        let mut blocks = Vec::with_capacity(config.num_layers);
        for block in weights.blocks {
            blocks.push(Block {
                cosine: CosineGate::new(&block).await?,
                gate_bias: match block.gate_bias {
                    Some(bias) => read(bias.into_value()).await?,
                    None => Vec::new(),
                },
                attention_norm: block.attention_norm.into_value(),
                w_qkv: block.w_qkv.into_value(),
                w_out: block.w_out.into_value(),
                moe_norm: block.moe_norm.into_value(),
                gate: block.gate.into_value(),
                w_gate: block.w_gate.into_value(),
                w_up: block.w_up.into_value(),
                w_down: block.w_down.into_value(),
                shared: block.shared.map(Shared::new),
                cache: Some(Tensor::zeros([2, config.max_tokens, d_keys], device)),
            });
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

    /// Runs the tokens of a pass through the model.
    ///
    /// The caller keeps `first_position + ids.len()` within `max_tokens`, and `ids` non-empty and in the vocabulary.
    pub async fn forward(&mut self, pass: &Pass<'_>, router: &Router) -> Result<Outcome, TensorError> {
        let num_tokens = pass.ids.len();
        let config = self.config.clone();
        let ids = ops::int_tensor(pass.ids.iter().map(|&id| id as i32).collect(), &self.device);
        let row =
            self.params.get(RowParams { num_tokens: num_tokens as u32, d_model: config.d_model as u32 }.to_words());
        let attention = ops::int_tensor(attention_params(&config, pass).to_words(), &self.device);
        let rule = match config.gate {
            GateForm::Linear => DeviceRule::new(router, num_tokens),
            GateForm::Cosine { .. } => None,
        };
        let k = rule.map_or(router.k(), |rule| rule.k);
        let record_len = match rule {
            Some(_) => config.num_layers * num_tokens * routing_width(config.num_experts, k),
            None => 0,
        };
        let mut record = Record::new(record_len + num_tokens + config.vocab_size, &self.device);
        let mut host_layers = Vec::new();

        let mut x = ops::embed(&ids, &self.embedding, &row);
        for layer in 0..config.num_layers {
            x = self.attend(layer, x, &row, &attention, num_tokens);
            let normed = ops::rms_norm(&x, &self.blocks[layer].moe_norm, &row);
            let rows = match rule {
                Some(rule) => {
                    let rows = self.route_on_device(layer, &normed, rule, pass);
                    record.add(&rows, 0, num_tokens * routing_width(config.num_experts, k), &mut self.params);
                    rows
                }
                None => {
                    let (rows, trace) = self.route_on_host(layer, &normed, router, pass).await?;
                    host_layers.push(trace);
                    rows
                }
            };
            x = self.run_experts(layer, x, &normed, &rows, num_tokens);
        }
        let normed = ops::rms_norm(&x, &self.final_norm, &row);
        let head_params = self.linear_params(num_tokens, config.d_model, config.vocab_size);
        let logits = ops::linear(&normed, &self.head, &head_params);
        self.record_losses(pass.ids, &logits, num_tokens, &mut record);
        let last = (num_tokens - 1) * config.vocab_size;
        record.add(&logits, last, config.vocab_size, &mut self.params);

        let values = record.read().await?;
        let (rows, rest) = values.split_at(record_len);
        let layers = match rule {
            Some(rule) => rows
                .chunks_exact(num_tokens * routing_width(config.num_experts, k))
                .zip(0..)
                .map(|(rows, layer)| {
                    let (gate_logits, routing) = routing_rows::read(rows, config.num_experts, k, rule.capacity)
                        .map_err(|error| TensorError(format!("layer {layer}: {error}")))?;
                    Ok(LayerTrace { layer: LayerIdx(layer), gate_logits, routing })
                })
                .collect::<Result<Vec<_>, TensorError>>()?,
            None => host_layers,
        };
        let (losses, rest) = rest.split_at(num_tokens);
        let (losses, logits) = (&losses[..num_tokens - 1], &rest[..config.vocab_size]);
        if losses.iter().chain(logits).any(|value| !value.is_finite()) {
            return Err(TensorError("the last layer's numbers are not finite".to_owned()));
        }
        Ok(Outcome { layers, losses: losses.to_vec(), logits: logits.to_vec() })
    }

    fn attend(
        &mut self,
        layer: usize,
        x: Tensor<2>,
        row: &Tensor<1, Int>,
        attention: &Tensor<1, Int>,
        num_tokens: usize,
    ) -> Tensor<2> {
        let (d_queries, d_keys) = self.config.d_attention();
        let d_model = self.config.d_model;
        let qkv_params = self.linear_params(num_tokens, d_model, d_queries + 2 * d_keys);
        let out_params = self.linear_params(num_tokens, d_queries, d_model);
        let block = &mut self.blocks[layer];
        let normed = ops::rms_norm(&x, &block.attention_norm, row);
        let qkv = ops::linear(&normed, &block.w_qkv, &qkv_params);
        let cache = block.cache.take().expect("the cache is only absent while a kernel writes into it");
        let (cache, queries) = ops::rope_cache(&qkv, &self.angles, attention, cache, d_queries);
        let mixed = ops::attention(&queries, &cache, attention, self.config.d_head);
        block.cache = Some(cache);
        ops::linear_add(&mixed, &block.w_out, &x, &out_params)
    }

    fn route_on_device(&mut self, layer: usize, x: &Tensor<2>, rule: DeviceRule, pass: &Pass<'_>) -> Tensor<2> {
        let num_tokens = pass.ids.len() as u32;
        let (num_experts, k) = (self.config.num_experts as u32, rule.k as u32);
        let d_model = self.config.d_model as u32;
        let gate_params = GateParams { num_tokens, d_model, num_experts, k, normalised: u32::from(rule.normalised) };
        let gate_params = self.params.get(gate_params.to_words());
        let rows = ops::gate_top_k(x, &self.blocks[layer].gate, &gate_params, rule.k);
        let order = if rule.by_confidence {
            let params = self.params.get(OrderParams { num_tokens, num_experts, k }.to_words());
            ops::token_order(&rows, &params)
        } else {
            self.params.get((0..num_tokens as i32).collect())
        };
        let draws = match pass.inputs.get(layer) {
            Some(inputs) if rule.random_second => {
                Tensor::from_data(TensorData::new(inputs.uniforms.clone(), [pass.ids.len()]), &self.device)
            }
            _ => self.params.zeros(pass.ids.len()),
        };
        let slot_params = SlotParams {
            num_tokens,
            num_experts,
            k,
            capacity: rule.capacity.unwrap_or(u32::MAX),
            rank_major: u32::from(rule.rank_major),
            random_second: u32::from(rule.random_second),
        };
        let slot_params = self.params.get(slot_params.to_words());
        ops::assign_slots(&order, &draws, &slot_params, rows, self.config.num_experts)
    }

    async fn route_on_host(
        &mut self,
        layer: usize,
        x: &Tensor<2>,
        router: &Router,
        pass: &Pass<'_>,
    ) -> Result<(Tensor<2>, LayerTrace), TensorError> {
        let num_experts = self.config.num_experts;
        let logits = match &self.blocks[layer].cosine {
            Some(gate) => {
                let logits = gate.logits(read(x.clone()).await?);
                logits.map_err(|error| TensorError(format!("layer {layer}: {error}")))?
            }
            None => {
                let params = self.linear_params(pass.ids.len(), self.config.d_model, num_experts);
                let logits = read(ops::linear(x, &self.blocks[layer].gate, &params)).await?;
                GateLogits::new(num_experts, logits).map_err(|error| TensorError(format!("layer {layer}: {error}")))?
            }
        };
        let inputs = pass.inputs.get(layer);
        let input = inputs.map_or_else(|| RouterInput::new(&logits), |inputs| inputs.with(&logits));
        let input = input.with_bias(&self.blocks[layer].gate_bias);
        let routing = router.try_route(&input).map_err(|error| TensorError(format!("layer {layer}: {error}")))?;
        let rows = routing_rows::write(&logits, &routing);
        let shape = [pass.ids.len(), rows.len() / pass.ids.len()];
        let rows = Tensor::from_data(TensorData::new(rows, shape), &self.device);
        Ok((rows, LayerTrace { layer: LayerIdx(layer as u32), gate_logits: logits, routing }))
    }

    fn run_experts(
        &mut self,
        layer: usize,
        x: Tensor<2>,
        normed: &Tensor<2>,
        rows: &Tensor<2>,
        num_tokens: usize,
    ) -> Tensor<2> {
        let k = (rows.dims()[1] - self.config.num_experts) / 4;
        let params = ExpertParams {
            num_tokens: num_tokens as u32,
            d_model: self.config.d_model as u32,
            d_expert: self.config.d_expert as u32,
            num_experts: self.config.num_experts as u32,
            k: k as u32,
        };
        let params = self.params.get(params.to_words());
        let block = &self.blocks[layer];
        let hidden = ops::expert_up(normed, rows, &block.w_gate, &block.w_up, &params, num_tokens * k);
        let x = ops::expert_down(&hidden, rows, &block.w_down, &x, &params);
        match &block.shared {
            Some(shared) => shared.add_to(x, normed, &mut self.params),
            None => x,
        }
    }

    fn record_losses(&mut self, ids: &[u32], logits: &Tensor<2>, num_tokens: usize, record: &mut Record) {
        if num_tokens == 1 {
            record.skip(1);
            return;
        }
        // The successor of each token; that of the last one is not known yet.
        let targets = ids[1..].iter().map(|&id| id as i32).chain([-1]).collect();
        let targets = ops::int_tensor(targets, &self.device);
        let params = LossParams { num_tokens: num_tokens as u32, vocab_size: self.config.vocab_size as u32 };
        let losses = ops::token_loss(logits, &targets, &self.params.get(params.to_words()));
        record.add(&losses, 0, num_tokens, &mut self.params);
    }

    fn linear_params(&mut self, num_tokens: usize, d_in: usize, d_out: usize) -> Tensor<1, Int> {
        let (num_tokens, d_in, d_out) = (num_tokens as u32, d_in as u32, d_out as u32);
        self.params.get(LinearParams { num_tokens, d_in, d_out }.to_words())
    }
}

fn attention_params(config: &ModelConfig, pass: &Pass<'_>) -> AttentionParams {
    AttentionParams {
        num_tokens: pass.ids.len() as u32,
        first_position: pass.first_position as u32,
        max_tokens: config.max_tokens as u32,
        num_heads: config.num_heads as u32,
        num_kv_heads: config.num_kv_heads as u32,
        d_head: config.d_head as u32,
    }
}

/// The numbers of a tensor, once the device has computed them.
pub(crate) async fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, TensorError> {
    let data = tensor.into_data_async().await.map_err(|error| TensorError(format!("{error:?}")))?;
    data.try_to_vec().map_err(|error| TensorError(format!("{error:?}")))
}
