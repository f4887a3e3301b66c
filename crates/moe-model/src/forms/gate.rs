//! The gate of a layer, in any of its forms: what it says of each token about each expert.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::cosine_gate::{CosineGate, CosineGateConfig};
use super::initial::Initial;
use super::linear_gate::{self, LinearGate};

/// How a layer's gate makes logits of a token's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "form", rename_all = "snake_case")]
pub enum GateConfig {
    #[default]
    Linear,
    Cosine(CosineGateConfig),
}

/// A gate's parameters.
#[derive(Module, Debug)]
pub enum Gate {
    Linear(LinearGate),
    Cosine(CosineGate),
}

impl GateConfig {
    /// One of each form, small enough for a tiny model: what tests go through.
    pub const EXAMPLES: [GateConfig; 2] = [GateConfig::Linear, GateConfig::Cosine(CosineGateConfig { d_gate: 2 })];

    /// Shape of the matrix that ends in a column per expert.
    pub fn column_dims(&self, d_model: usize, num_experts: usize) -> [usize; 2] {
        match self {
            GateConfig::Linear => [d_model, num_experts],
            GateConfig::Cosine(config) => [config.d_gate, num_experts],
        }
    }

    /// The matrix that ends in a column per expert. It is drawn before a block's experts, all else of a gate after them.
    pub fn init_columns(&self, d_model: usize, num_experts: usize, initial: &mut Initial) -> Param<Tensor<2>> {
        let std = match self {
            GateConfig::Linear => linear_gate::std(d_model, initial),
            // Only their direction matters.
            GateConfig::Cosine(_) => 1.0,
        };
        initial.normal(self.column_dims(d_model, num_experts), std)
    }

    pub fn init(&self, columns: Param<Tensor<2>>, d_model: usize, initial: &mut Initial) -> Gate {
        match self {
            GateConfig::Linear => Gate::Linear(LinearGate { weight: columns }),
            GateConfig::Cosine(config) => Gate::Cosine(config.init(columns, d_model, initial)),
        }
    }

    pub fn num_parameters(&self, d_model: usize, num_experts: usize) -> usize {
        match self {
            GateConfig::Linear => d_model * num_experts,
            GateConfig::Cosine(config) => config.num_parameters(d_model, num_experts),
        }
    }

    /// Its own sizes by name, none of which may be 0.
    pub fn sizes(&self) -> Vec<(&'static str, usize)> {
        match self {
            GateConfig::Linear => Vec::new(),
            GateConfig::Cosine(config) => vec![("d_gate", config.d_gate)],
        }
    }

    /// What a reader is told of a form that is not the usual one.
    pub fn title(&self) -> Option<&'static str> {
        match self {
            GateConfig::Linear => None,
            GateConfig::Cosine(_) => Some("cosine gate"),
        }
    }
}

impl Gate {
    /// Logits, `[sequences, tokens, experts]`. `x`: `[sequences, tokens, d_model]`, normed.
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        match self {
            Gate::Linear(gate) => gate.forward(x),
            Gate::Cosine(gate) => gate.forward(x),
        }
    }

    /// The matrix that ends in a column per expert.
    pub fn columns(&self) -> &Param<Tensor<2>> {
        match self {
            Gate::Linear(gate) => &gate.weight,
            Gate::Cosine(gate) => &gate.embeddings,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_has_an_example() {
        let place = |form: &GateConfig| match form {
            GateConfig::Linear => 0,
            GateConfig::Cosine(_) => 1,
        };
        assert!(GateConfig::EXAMPLES.iter().map(place).eq(0..GateConfig::EXAMPLES.len()));
    }
}
