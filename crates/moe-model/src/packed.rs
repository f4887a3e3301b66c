//! The parameters of a model for the CPU: matrices 8 bit as they are stored, in the order its products read them.
//!
//! Attention, experts, shared experts and the head are packed; an embedding is read from the head's matrix, as stored.
//! Gates, what biases a selection, and norms are f32: a flipped expert is visible, and they are small.

use burn::module::Param;
use burn::tensor::Tensor;
use moe_kernels::cpu::packed::{PackedExperts, PackedMatrix};

use crate::forms::attention::AttentionConfig;
use crate::forms::gate::Gate;

/// All parameters.
#[derive(Debug)]
pub struct PackedWeights {
    /// The embedding transposed, `[d_model, vocabulary]`.
    pub head: PackedMatrix,
    pub blocks: Vec<PackedBlock>,
    /// `[d_model]`
    pub final_norm: Tensor<1>,
}

#[derive(Debug)]
pub struct PackedBlock {
    /// `[d_model]`
    pub attention_norm: Tensor<1>,
    pub attention: PackedAttention,
    /// `[d_model]`
    pub moe_norm: Tensor<1>,
    pub gate: Gate,
    /// `[experts]`
    pub selection_bias: Option<Param<Tensor<1>>>,
    pub experts: PackedExperts,
    /// Side by side they are one expert.
    pub shared_experts: Option<PackedExperts>,
}

#[derive(Debug)]
pub struct PackedAttention {
    pub config: AttentionConfig,
    /// `[d_model, (heads + 2 kv_heads) · d_head]`
    pub w_qkv: PackedMatrix,
    /// `[heads · d_head, d_model]`
    pub w_out: PackedMatrix,
}
