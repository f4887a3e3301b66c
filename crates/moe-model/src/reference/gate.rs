//! What a layer's gate says of each token, on the tensor graph.

use burn::tensor::Tensor;

use super::matmul_shared;
use crate::weights::Block;

/// A cosine gate's temperature is at least this (Tutel): a learned one would end at 0.
const LEAST_TEMPERATURE: f32 = 0.01;

/// Logits, `[sequences, tokens, experts]`. `x`: `[sequences, tokens, d_model]`, normed.
pub fn logits(block: &Block, x: Tensor<3>) -> Tensor<3> {
    let Some(cosine) = &block.cosine else { return matmul_shared(x, block.gate.val()) };
    // Keeps the gradient of a norm finite where a vector is zero.
    let tiny = 1e-20;
    let projected = matmul_shared(x, cosine.gate_projection.val());
    let lengths = (projected.clone().square().sum_dim(2) + tiny).sqrt();
    let experts = block.gate.val();
    let expert_lengths = (experts.clone().square().sum_dim(0) + tiny).sqrt();
    let cosines = matmul_shared(projected / lengths, experts / expert_lengths);
    let sharpness = cosine.gate_sharpness.val().clamp_max(-LEAST_TEMPERATURE.ln()).exp();
    cosines * sharpness.unsqueeze()
}

/// A cosine gate's temperature, from the logarithm of one over it.
pub fn temperature(sharpness: f32) -> f32 {
    (-sharpness).exp().max(LEAST_TEMPERATURE)
}
