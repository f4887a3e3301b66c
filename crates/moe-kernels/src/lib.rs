//! The fused path: a handful of kernels, each once as WGSL and once as a Rust twin, launched as burn operations.
//!
//! A kernel of a name is `shaders/<name>.wgsl`, its twin `cpu/<name>.rs`, a row in [`ops`], a launch in `gpu.rs` and one
//! in `flex.rs`; the compiler and tests name what is missing. The twin *is* the CPU backend's implementation, so the CPU
//! rung and the reference for the shaders are one thing.
//!
//! Callers answer for shapes. Small numbers (how many tokens, how wide a row) travel beside the tensors, as a struct of
//! [`params`]: on a GPU a uniform that is kept by its content.

pub mod cpu;
pub mod device;
pub mod exp;
pub mod kernel;
pub mod ops;
pub mod packed;
pub mod params;

mod constructors;
mod flex;
#[cfg(feature = "gpu")]
mod gpu;

/// Most experts of a layer: what the gate kernel's private arrays hold.
pub const MAX_EXPERTS: usize = 64;
/// Largest `d_head` of the attention kernel.
pub const MAX_D_HEAD: usize = 64;

/// Invocations of one launch: WebGPU's 65,535 workgroups in one dimension.
pub const MAX_INVOCATIONS: usize = 65_535 * kernel::WORKGROUP_SIZE as usize;

/// Slot value of a request that was turned away by a full expert.
pub const SLOT_LOST: f32 = -1.0;
/// Slot value of a second choice that was withdrawn before dispatch.
pub const SLOT_SKIPPED: f32 = -2.0;

/// Width of a routing row: `[logits: experts | expert: k | weight: k | gate probability: k | slot: k]`.
pub const fn routing_width(num_experts: usize, k: usize) -> usize {
    num_experts + 4 * k
}
