//! Rules that mix instead of choosing: tokens are blended into slots, or experts into one.
//!
//! There are no requests and no slots to lose, so there is no [`Routing`](moe_trace::Routing); each file has small
//! matrices as input and output. Everything is differentiable.

pub mod expert_merging;
pub mod lory;
pub mod peft;
pub mod soft_moe;
