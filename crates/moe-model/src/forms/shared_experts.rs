//! Experts beside the routed ones that every token asks, with weight 1 (DeepSeekMoE, arXiv:2401.06066, eq. 9). Side by
//! side they are one wide expert: its output is their sum.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::activation::silu;

use super::initial::Initial;
use crate::tensors::matmul_shared;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedExpertsConfig {
    pub d_model: usize,
    /// How many there are.
    pub count: usize,
    /// Hidden width of one expert.
    pub d_expert: usize,
}

#[derive(Module, Debug)]
pub struct SharedExperts {
    /// `[d_model, d_shared]`
    pub w_gate: Param<Tensor<2>>,
    /// `[d_model, d_shared]`
    pub w_up: Param<Tensor<2>>,
    /// `[d_shared, d_model]`
    pub w_down: Param<Tensor<2>>,
}

impl SharedExpertsConfig {
    /// Hidden width of all of them side by side.
    pub fn d_shared(&self) -> usize {
        self.count * self.d_expert
    }

    pub fn init(&self, initial: &mut Initial) -> SharedExperts {
        let (from_model, from_expert) = (initial.by_inputs(self.d_model), initial.into_residual(self.d_expert));
        SharedExperts {
            w_gate: initial.normal([self.d_model, self.d_shared()], from_model),
            w_up: initial.normal([self.d_model, self.d_shared()], from_model),
            w_down: initial.normal([self.d_shared(), self.d_model], from_expert),
        }
    }

    pub fn num_parameters(&self) -> usize {
        3 * self.d_model * self.d_shared()
    }
}

impl SharedExperts {
    /// `[sequences, tokens, d_model]` in and out.
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let hidden = silu(matmul_shared(x.clone(), self.w_gate.val())) * matmul_shared(x, self.w_up.val());
        matmul_shared(hidden, self.w_down.val())
    }
}
