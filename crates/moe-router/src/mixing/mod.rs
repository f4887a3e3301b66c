//! Rules that mix instead of choosing: tokens are blended into slots, or experts into one.
//!
//! There are no requests and no slots to lose, so what comes out is a [`Mixing`](moe_trace::Mixing), by way of
//! [`Mixer`](crate::Mixer). The files here have the formulas that apply it, on small matrices. Everything is
//! differentiable.

pub mod expert_merging;
pub mod lory;
pub mod meo;
pub mod peft;
pub mod shared_experts;
pub mod smear;
pub mod soft_moe;
