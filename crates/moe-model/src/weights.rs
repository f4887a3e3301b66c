//! The parameters of a model: its blocks, each made of parts whose forms are in `forms/`.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use crate::config::ModelConfig;
use crate::forms::attention::Attention;
use crate::forms::experts::Experts;
use crate::forms::gate::Gate;
use crate::forms::initial::Initial;
use crate::forms::shared_experts::SharedExperts;

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
    pub attention: Attention,
    /// `[d_model]`
    pub moe_norm: Param<Tensor<1>>,
    pub gate: Gate,
    /// `[experts]`: added to the scores when experts are selected. Balancing moves it, no gradient does.
    pub selection_bias: Option<Param<Tensor<1>>>,
    pub experts: Experts,
    pub shared_experts: Option<SharedExperts>,
}

impl Weights {
    /// Parameters without content: a form to load a checkpoint into.
    pub fn zeros(config: &ModelConfig, device: &Device) -> Weights {
        Weights::init(config, Initial::zeros(config.num_layers, device))
    }

    /// Random parameters, of the spreads that each form names. The same seed gives the same parameters on every device.
    pub fn random(config: &ModelConfig, seed: u64, device: &Device) -> Weights {
        Weights::init(config, Initial::random(seed, config.num_layers, device))
    }

    fn init(config: &ModelConfig, mut initial: Initial) -> Weights {
        Weights {
            blocks: (0..config.num_layers).map(|_| Block::init(config, &mut initial)).collect(),
            embedding: initial.normal([config.vocab_size, config.d_model], 0.02),
            final_norm: initial.constant([config.d_model], 1.0),
        }
    }
}

impl Block {
    fn init(config: &ModelConfig, initial: &mut Initial) -> Block {
        let ModelConfig { d_model, num_experts, gate, .. } = *config;
        let attention = config.attention().init(initial);
        let columns = gate.init_columns(d_model, num_experts, initial);
        let experts = config.experts().init(initial);
        let gate = gate.init(columns, d_model, initial);
        Block {
            attention_norm: initial.constant([d_model], 1.0),
            attention,
            moe_norm: initial.constant([d_model], 1.0),
            gate,
            selection_bias: config.selection_bias.then(|| initial.constant([num_experts], 0.0).set_require_grad(false)),
            experts,
            shared_experts: config.shared_experts().map(|shared| shared.init(initial)),
        }
    }
}
