//! The routed experts of a layer: SwiGLU feed-forwards (arXiv:2002.05202, eq. 6), each over the tokens it takes.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::activation::silu;

use super::initial::Initial;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpertsConfig {
    pub d_model: usize,
    pub num_experts: usize,
    /// Hidden width of one expert.
    pub d_expert: usize,
}

#[derive(Module, Debug)]
pub struct Experts {
    /// `[experts, d_model, d_expert]`
    pub w_gate: Param<Tensor<3>>,
    /// `[experts, d_model, d_expert]`
    pub w_up: Param<Tensor<3>>,
    /// `[experts, d_expert, d_model]`
    pub w_down: Param<Tensor<3>>,
}

impl ExpertsConfig {
    pub fn init(&self, initial: &mut Initial) -> Experts {
        let ExpertsConfig { d_model, num_experts, d_expert } = *self;
        let (from_model, from_expert) = (initial.by_inputs(d_model), initial.into_residual(d_expert));
        Experts {
            w_gate: initial.normal([num_experts, d_model, d_expert], from_model),
            w_up: initial.normal([num_experts, d_model, d_expert], from_model),
            w_down: initial.normal([num_experts, d_expert, d_model], from_expert),
        }
    }

    pub fn num_parameters(&self) -> usize {
        3 * self.d_model * self.num_experts * self.d_expert
    }
}

impl Experts {
    /// What each expert makes of its slots: `[experts, slots, d_model]` in and out.
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let hidden = silu(x.clone().matmul(self.w_gate.val())) * x.matmul(self.w_up.val());
        hidden.matmul(self.w_down.val())
    }
}
