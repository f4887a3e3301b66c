//! The parameters of a model, and their names.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use moe_router::draws::SplitMix64;

use crate::config::ModelConfig;

/// All parameters. The embedding is also the output head, transposed.
#[derive(Module, Debug)]
pub struct Weights {
    /// `[vocabulary, d_model]`
    pub embedding: Param<Tensor<2>>,
    pub blocks: Vec<Block>,
    /// `[d_model]`
    pub final_norm: Param<Tensor<1>>,
}

/// One transformer block: attention, then experts, each behind a norm and beside a residual.
#[derive(Module, Debug)]
pub struct Block {
    /// `[d_model]`
    pub attention_norm: Param<Tensor<1>>,
    /// `[d_model, (heads + 2 kv_heads) · d_head]`: queries, keys, values.
    pub w_qkv: Param<Tensor<2>>,
    /// `[heads · d_head, d_model]`
    pub w_out: Param<Tensor<2>>,
    /// `[d_model]`
    pub moe_norm: Param<Tensor<1>>,
    /// The gate, `[d_model, experts]`.
    pub gate: Param<Tensor<2>>,
    /// `[experts, d_model, d_expert]`
    pub w_gate: Param<Tensor<3>>,
    /// `[experts, d_model, d_expert]`
    pub w_up: Param<Tensor<3>>,
    /// `[experts, d_expert, d_model]`
    pub w_down: Param<Tensor<3>>,
}

impl Weights {
    /// All parameters zero: a form to load a checkpoint into.
    pub fn zeros(config: &ModelConfig, device: &Device) -> Weights {
        let (d_queries, d_keys) = config.d_attention();
        let ModelConfig { d_model, num_experts, d_expert, .. } = *config;
        let norm = || Param::from_tensor(Tensor::zeros([d_model], device));
        let matrix = |shape: [usize; 2]| Param::from_tensor(Tensor::zeros(shape, device));
        let experts = |rows, columns| Param::from_tensor(Tensor::zeros([num_experts, rows, columns], device));
        let blocks = (0..config.num_layers).map(|_| Block {
            attention_norm: norm(),
            w_qkv: matrix([d_model, d_queries + 2 * d_keys]),
            w_out: matrix([d_queries, d_model]),
            moe_norm: norm(),
            gate: matrix([d_model, num_experts]),
            w_gate: experts(d_model, d_expert),
            w_up: experts(d_model, d_expert),
            w_down: experts(d_expert, d_model),
        });
        let blocks = blocks.collect();
        Weights { embedding: matrix([config.vocab_size, d_model]), blocks, final_norm: norm() }
    }

    /// Random parameters: normal with variance 1 / inputs; what feeds a residual is smaller by `sqrt(2 · layers)`
    /// (GPT-2), the gate has a tenth of that variance (Switch, arXiv:2101.03961, section 2.4). The same seed gives the
    /// same parameters on every device.
    pub fn random(config: &ModelConfig, seed: u64, device: &Device) -> Weights {
        let mut draws = Draws { random: SplitMix64::new(seed), device };
        let by_inputs = |inputs: usize| (inputs as f64).powf(-0.5);
        let into_residual = |inputs: usize| (inputs as f64 * 2.0 * config.num_layers as f64).powf(-0.5);
        let (d_queries, d_keys) = config.d_attention();
        let ModelConfig { d_model, num_experts, d_expert, .. } = *config;
        let ones = || Param::from_tensor(Tensor::ones([d_model], device));
        let blocks = (0..config.num_layers)
            .map(|_| Block {
                attention_norm: ones(),
                w_qkv: draws.normal([d_model, d_queries + 2 * d_keys], by_inputs(d_model)),
                w_out: draws.normal([d_queries, d_model], into_residual(d_queries)),
                moe_norm: ones(),
                gate: draws.normal([d_model, num_experts], by_inputs(10 * d_model)),
                w_gate: draws.normal([num_experts, d_model, d_expert], by_inputs(d_model)),
                w_up: draws.normal([num_experts, d_model, d_expert], by_inputs(d_model)),
                w_down: draws.normal([num_experts, d_expert, d_model], into_residual(d_expert)),
            })
            .collect();
        Weights { embedding: draws.normal([config.vocab_size, d_model], 0.02), blocks, final_norm: ones() }
    }
}

/// Normal parameters, one after another.
struct Draws<'a> {
    random: SplitMix64,
    device: &'a Device,
}

impl Draws<'_> {
    fn normal<const D: usize>(&mut self, shape: [usize; D], std: f64) -> Param<Tensor<D>> {
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| (self.random.normal() * std) as f32).collect();
        Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), self.device))
    }
}
