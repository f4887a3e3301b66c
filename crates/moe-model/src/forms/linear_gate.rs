//! A linear gate: `x · W`.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::initial::Initial;
use crate::tensors::matmul_shared;

#[derive(Module, Debug)]
pub struct LinearGate {
    /// `[d_model, experts]`
    pub weight: Param<Tensor<2>>,
}

/// A tenth of the usual variance (Switch, arXiv:2101.03961, section 2.4).
pub fn std(d_model: usize, initial: &Initial) -> f64 {
    initial.by_inputs(10 * d_model)
}

impl LinearGate {
    /// Logits, `[sequences, tokens, experts]`. `x`: `[sequences, tokens, d_model]`, normed.
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        matmul_shared(x, self.weight.val())
    }
}
