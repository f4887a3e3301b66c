//! Shared experts on the experts' kernels: one wide expert that every token asks with weight 1.

use burn::tensor::Tensor;
use moe_kernels::ops;
use moe_kernels::params::ExpertParams;

use super::params::ParamsCache;
use crate::weights;

/// The shared experts of a layer, side by side.
pub struct Shared {
    /// `[1, d_model, d_shared]`
    w_gate: Tensor<3>,
    /// `[1, d_model, d_shared]`
    w_up: Tensor<3>,
    /// `[1, d_shared, d_model]`
    w_down: Tensor<3>,
}

impl Shared {
    pub fn new(shared: weights::Shared) -> Shared {
        Shared {
            w_gate: shared.w_gate.into_value().unsqueeze(),
            w_up: shared.w_up.into_value().unsqueeze(),
            w_down: shared.w_down.into_value().unsqueeze(),
        }
    }

    /// Adds what the shared experts make of `normed` to `x`; both `[tokens, d_model]`.
    pub fn add_to(&self, x: Tensor<2>, normed: &Tensor<2>, cache: &mut ParamsCache) -> Tensor<2> {
        let [_, d_model, d_shared] = self.w_gate.dims();
        let num_tokens = x.dims()[0];
        let params = ExpertParams {
            num_tokens: num_tokens as u32,
            d_model: d_model as u32,
            d_expert: d_shared as u32,
            num_experts: 1,
            k: 1,
        };
        let params = cache.get(params.to_words());
        let rows = cache.requests_to_all(num_tokens);
        let hidden = ops::expert_up(normed, &rows, &self.w_gate, &self.w_up, &params, num_tokens);
        ops::expert_down(&hidden, &rows, &self.w_down, &x, &params)
    }
}
