//! The CPU twins: plain Rust over typed slices, one file per shader, with the shader's shapes, ties and order of sums.
//!
//! Where a shader has one invocation per output, a twin may walk the same sums in an order that suits a cache and SIMD;
//! each sum still runs over the same index from first to last, but for attention, whose dot product takes four partial
//! sums and whose softmax knows the largest score beforehand. `packed` has what no shader has yet: products with matrices that stay 8 bit.

#![allow(clippy::needless_range_loop, reason = "keeps the twins easily comparable to their shaders")]

mod dot;

pub mod assign_slots;
pub mod attention;
pub mod embed;
pub mod expert_down;
pub mod expert_up;
pub mod gate_top_k;
pub mod head;
pub mod linear;
pub mod linear_add;
pub mod packed;
pub mod project_qkv;
pub mod record;
pub mod rms_norm;
pub mod rope_cache;
pub mod route_alone;
pub mod token_loss;
pub mod token_order;
