//! A block's attention on the kernels, with its part of the key-value cache.

use burn::tensor::{Device, Int, Tensor};
use moe_kernels::ops;
use moe_kernels::params::AttentionParams;

use super::matrix::Matrix;
use super::params::ParamsCache;
use crate::forms::attention::{Attention, AttentionConfig};
use crate::packed::PackedAttention;

pub struct FusedAttention {
    config: AttentionConfig,
    /// `[d_model, (heads + 2 kv_heads) · d_head]`
    w_qkv: Matrix,
    /// `[heads · d_head, d_model]`
    w_out: Matrix,
    /// `[2, max_tokens, kv_heads · d_head]`: keys, values. Taken while a kernel writes into it.
    cache: Option<Tensor<3>>,
}

/// What all blocks' attention needs in one pass.
pub struct Positions<'a> {
    /// `[max_tokens, 2, d_head / 2]`
    pub angles: &'a Tensor<3>,
    /// The words of `AttentionParams`.
    pub params: Tensor<1, Int>,
}

impl FusedAttention {
    pub fn new(attention: Attention, max_tokens: usize, device: &Device) -> FusedAttention {
        let Attention { w_qkv, w_out, config } = attention;
        let (w_qkv, w_out) = (Matrix::F32(w_qkv.into_value()), Matrix::F32(w_out.into_value()));
        FusedAttention { config, w_qkv, w_out, cache: empty_cache(config, max_tokens, device) }
    }

    pub fn packed(attention: PackedAttention, max_tokens: usize, device: &Device) -> FusedAttention {
        let PackedAttention { w_qkv, w_out, config } = attention;
        let (w_qkv, w_out) = (Matrix::Packed(w_qkv), Matrix::Packed(w_out));
        FusedAttention { config, w_qkv, w_out, cache: empty_cache(config, max_tokens, device) }
    }

    /// Adds what attention makes of `normed` to `x`; both `[tokens, d_model]`.
    pub fn add_to(
        &mut self,
        x: &Tensor<2>,
        normed: &Tensor<2>,
        positions: &Positions<'_>,
        params: &mut ParamsCache,
    ) -> Tensor<2> {
        let qkv = self.w_qkv.linear(normed, params);
        let cache = self.cache.take().expect("the cache is only absent while a kernel writes into it");
        let (cache, queries) =
            ops::rope_cache(&qkv, positions.angles, &positions.params, cache, self.config.d_queries());
        let mixed = ops::attention(&queries, &cache, &positions.params, self.config.d_head);
        self.cache = Some(cache);
        self.w_out.linear_add(&mixed, x, params)
    }
}

fn empty_cache(config: AttentionConfig, max_tokens: usize, device: &Device) -> Option<Tensor<3>> {
    Some(Tensor::zeros([2, max_tokens, config.d_keys()], device))
}

/// The numbers of a pass's attention.
pub fn attention_params(
    config: AttentionConfig,
    num_tokens: usize,
    first_position: usize,
    max_tokens: usize,
) -> AttentionParams {
    AttentionParams {
        num_tokens: num_tokens as u32,
        first_position: first_position as u32,
        max_tokens: max_tokens as u32,
        num_heads: config.num_heads as u32,
        num_kv_heads: config.num_kv_heads as u32,
        d_head: config.d_head as u32,
    }
}
