//! X-MoE's gate: the cosine of the projected state with an embedding of each expert, over a learned temperature
//! (arXiv:2204.09179, eq. 6-7).

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::initial::Initial;
use crate::tensors::matmul_shared;

/// The temperature that cosine gates begin with; the paper names none.
const FIRST_TEMPERATURE: f32 = 0.3;

/// The temperature is at least this (Tutel): a learned one would end at 0.
const LEAST_TEMPERATURE: f32 = 0.01;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CosineGateConfig {
    /// Dimensions of the projection; half the number of experts in the paper.
    pub d_gate: usize,
}

#[derive(Module, Debug)]
pub struct CosineGate {
    /// The experts' embeddings, `[d_gate, experts]`.
    pub embeddings: Param<Tensor<2>>,
    /// `[d_model, d_gate]`
    pub projection: Param<Tensor<2>>,
    /// `[1]`: the logarithm of one over the temperature.
    pub sharpness: Param<Tensor<1>>,
}

impl CosineGateConfig {
    /// `embeddings`: `[d_gate, experts]`.
    pub fn init(&self, embeddings: Param<Tensor<2>>, d_model: usize, initial: &mut Initial) -> CosineGate {
        let std = initial.by_inputs(d_model);
        CosineGate {
            embeddings,
            projection: initial.normal([d_model, self.d_gate], std),
            sharpness: initial.constant([1], -FIRST_TEMPERATURE.ln()),
        }
    }

    pub fn num_parameters(&self, d_model: usize, num_experts: usize) -> usize {
        self.d_gate * (d_model + num_experts) + 1
    }
}

impl CosineGate {
    /// Logits, `[sequences, tokens, experts]`. `x`: `[sequences, tokens, d_model]`, normed.
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        // Keeps the gradient of a norm finite where a vector is zero.
        let tiny = 1e-20;
        let projected = matmul_shared(x, self.projection.val());
        let lengths = (projected.clone().square().sum_dim(2) + tiny).sqrt();
        let experts = self.embeddings.val();
        let expert_lengths = (experts.clone().square().sum_dim(0) + tiny).sqrt();
        let cosines = matmul_shared(projected / lengths, experts / expert_lengths);
        let sharpness = self.sharpness.val().clamp_max(-LEAST_TEMPERATURE.ln()).exp();
        cosines * sharpness.unsqueeze()
    }
}

/// The temperature, from the logarithm of one over it.
pub fn temperature(sharpness: f32) -> f32 {
    (-sharpness).exp().max(LEAST_TEMPERATURE)
}
