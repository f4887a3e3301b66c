//! A block's experts on the kernels, routed and shared. Shared experts are one wide expert that every token asks with
//! weight 1.

use burn::tensor::Tensor;
use moe_kernels::cpu::packed::PackedExperts;
use moe_kernels::params::ExpertParams;
use moe_kernels::{ops, packed};

use crate::forms::experts::Experts;
use crate::forms::shared_experts::SharedExperts;

/// Feed-forwards side by side, by whose number routing rows ask for them.
#[allow(clippy::large_enum_variant, reason = "there is one in a layer")]
pub enum FusedExperts {
    F32 {
        /// `[experts, d_model, d_expert]`
        w_gate: Tensor<3>,
        /// `[experts, d_model, d_expert]`
        w_up: Tensor<3>,
        /// `[experts, d_expert, d_model]`
        w_down: Tensor<3>,
    },
    /// 8 bit, on the CPU.
    Packed(PackedExperts),
}

impl FusedExperts {
    pub fn routed(experts: Experts) -> FusedExperts {
        FusedExperts::F32 {
            w_gate: experts.w_gate.into_value(),
            w_up: experts.w_up.into_value(),
            w_down: experts.w_down.into_value(),
        }
    }

    pub fn shared(shared: SharedExperts) -> FusedExperts {
        FusedExperts::F32 {
            w_gate: shared.w_gate.into_value().unsqueeze(),
            w_up: shared.w_up.into_value().unsqueeze(),
            w_down: shared.w_down.into_value().unsqueeze(),
        }
    }

    /// Adds what the experts make of `normed` to `x`; both `[tokens, d_model]`. `rows`: `[tokens, experts + 4 k]`.
    pub fn add_to(&self, x: &Tensor<2>, normed: &Tensor<2>, rows: &Tensor<2>) -> Tensor<2> {
        let (w_gate, w_up, w_down) = match self {
            FusedExperts::F32 { w_gate, w_up, w_down } => (w_gate, w_up, w_down),
            FusedExperts::Packed(experts) => {
                let hidden = packed::expert_up(normed, rows, experts);
                return packed::expert_down(&hidden, rows, experts, x);
            }
        };
        let [num_experts, d_model, d_expert] = w_gate.dims();
        let [num_tokens, width] = rows.dims();
        let k = (width - num_experts) / 4;
        let numbers = ExpertParams {
            num_tokens: num_tokens as u32,
            d_model: d_model as u32,
            d_expert: d_expert as u32,
            num_experts: num_experts as u32,
            k: k as u32,
        };
        let hidden = ops::expert_up(normed, rows, w_gate, w_up, numbers, num_tokens * k);
        ops::expert_down(&hidden, rows, w_down, x, numbers)
    }
}
