//! The parameters of a model, and their names.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use moe_router::draws::SplitMix64;

use crate::config::{GateForm, ModelConfig};

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
    /// The gate, `[d_model, experts]`; where it is a cosine, the experts' embeddings, `[d_gate, experts]`.
    pub gate: Param<Tensor<2>>,
    /// What only a cosine gate has.
    pub cosine: Option<Cosine>,
    /// `[experts]`: added to the scores when experts are selected. Balancing moves it, no gradient does.
    pub gate_bias: Option<Param<Tensor<1>>>,
    /// `[experts, d_model, d_expert]`
    pub w_gate: Param<Tensor<3>>,
    /// `[experts, d_model, d_expert]`
    pub w_up: Param<Tensor<3>>,
    /// `[experts, d_expert, d_model]`
    pub w_down: Param<Tensor<3>>,
    /// All shared experts side by side, which is their sum.
    pub shared: Option<Shared>,
}

/// What a cosine gate has besides the experts' embeddings.
#[derive(Module, Debug)]
pub struct Cosine {
    /// `[d_model, d_gate]`
    pub gate_projection: Param<Tensor<2>>,
    /// `[1]`: the logarithm of one over the temperature.
    pub gate_sharpness: Param<Tensor<1>>,
}

/// The temperature that cosine gates begin with; the paper names none.
const FIRST_TEMPERATURE: f32 = 0.3;

/// A feed-forward that every token passes through.
#[derive(Module, Debug)]
pub struct Shared {
    /// `[d_model, d_shared]`
    pub w_gate: Param<Tensor<2>>,
    /// `[d_model, d_shared]`
    pub w_up: Param<Tensor<2>>,
    /// `[d_shared, d_model]`
    pub w_down: Param<Tensor<2>>,
}

impl Weights {
    /// Parameters without content: a form to load a checkpoint into.
    pub fn zeros(config: &ModelConfig, device: &Device) -> Weights {
        Weights::made_of(config, Source { random: None, device })
    }

    /// Random parameters: normal with variance 1 / inputs; what feeds a residual is smaller by `sqrt(2 · layers)`
    /// (GPT-2), the gate has a tenth of that variance (Switch, arXiv:2101.03961, section 2.4). The same seed gives the
    /// same parameters on every device.
    pub fn random(config: &ModelConfig, seed: u64, device: &Device) -> Weights {
        Weights::made_of(config, Source { random: Some(SplitMix64::new(seed)), device })
    }

    fn made_of(config: &ModelConfig, mut source: Source) -> Weights {
        let by_inputs = |inputs: usize| (inputs as f64).powf(-0.5);
        let into_residual = |inputs: usize| (inputs as f64 * 2.0 * config.num_layers as f64).powf(-0.5);
        let (d_queries, d_keys) = config.d_attention();
        let ModelConfig { d_model, num_experts, d_expert, .. } = *config;
        let mut blocks = Vec::with_capacity(config.num_layers);
        for _ in 0..config.num_layers {
            blocks.push(Block {
                attention_norm: source.constant([d_model], 1.0),
                w_qkv: source.normal([d_model, d_queries + 2 * d_keys], by_inputs(d_model)),
                w_out: source.normal([d_queries, d_model], into_residual(d_queries)),
                moe_norm: source.constant([d_model], 1.0),
                gate: match config.gate {
                    GateForm::Linear => source.normal(config.gate_dims(), by_inputs(10 * d_model)),
                    // Only their direction matters.
                    GateForm::Cosine { .. } => source.normal(config.gate_dims(), 1.0),
                },
                w_gate: source.normal([num_experts, d_model, d_expert], by_inputs(d_model)),
                w_up: source.normal([num_experts, d_model, d_expert], by_inputs(d_model)),
                w_down: source.normal([num_experts, d_expert, d_model], into_residual(d_expert)),
                cosine: match config.gate {
                    GateForm::Linear => None,
                    GateForm::Cosine { d_gate } => Some(Cosine {
                        gate_projection: source.normal([d_model, d_gate], by_inputs(d_model)),
                        gate_sharpness: source.constant([1], -FIRST_TEMPERATURE.ln()),
                    }),
                },
                gate_bias: config.selection_bias.then(|| source.constant([num_experts], 0.0).set_require_grad(false)),
                shared: (config.num_shared_experts > 0).then(|| Shared {
                    w_gate: source.normal([d_model, config.d_shared()], by_inputs(d_model)),
                    w_up: source.normal([d_model, config.d_shared()], by_inputs(d_model)),
                    w_down: source.normal([config.d_shared(), d_model], into_residual(d_expert)),
                }),
            });
        }
        let embedding = source.normal([config.vocab_size, d_model], 0.02);
        Weights { embedding, blocks, final_norm: source.constant([d_model], 1.0) }
    }
}

/// Where parameters come from, one after another.
struct Source<'a> {
    /// None for a form without content.
    random: Option<SplitMix64>,
    device: &'a Device,
}

impl Source<'_> {
    fn normal<const D: usize>(&mut self, shape: [usize; D], std: f64) -> Param<Tensor<D>> {
        let Some(random) = &mut self.random else { return self.constant(shape, 0.0) };
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| (random.normal() * std) as f32).collect();
        Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), self.device))
    }

    fn constant<const D: usize>(&self, shape: [usize; D], value: f32) -> Param<Tensor<D>> {
        Param::from_tensor(Tensor::full(shape, value, self.device))
    }
}
