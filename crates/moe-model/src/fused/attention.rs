//! A block's attention on the kernels, with its part of the key-value cache.

use burn::tensor::{Device, Int, Tensor};
use moe_kernels::ops;
use moe_kernels::params::AttentionParams;

use super::params::ParamsCache;
use crate::forms::attention::{Attention, AttentionConfig};

pub struct FusedAttention {
    config: AttentionConfig,
    w_qkv: Tensor<2>,
    w_out: Tensor<2>,
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
        let cache = Some(Tensor::zeros([2, max_tokens, config.d_keys()], device));
        FusedAttention { config, w_qkv: w_qkv.into_value(), w_out: w_out.into_value(), cache }
    }

    /// Adds what attention makes of `normed` to `x`; both `[tokens, d_model]`.
    pub fn add_to(
        &mut self,
        x: &Tensor<2>,
        normed: &Tensor<2>,
        positions: &Positions<'_>,
        params: &mut ParamsCache,
    ) -> Tensor<2> {
        let AttentionConfig { d_model, d_head, .. } = self.config;
        let (d_queries, d_keys) = (self.config.d_queries(), self.config.d_keys());
        let num_tokens = x.dims()[0];
        let qkv = ops::linear(normed, &self.w_qkv, &params.linear(num_tokens, d_model, d_queries + 2 * d_keys));
        let cache = self.cache.take().expect("the cache is only absent while a kernel writes into it");
        let (cache, queries) = ops::rope_cache(&qkv, positions.angles, &positions.params, cache, d_queries);
        let mixed = ops::attention(&queries, &cache, &positions.params, d_head);
        self.cache = Some(cache);
        ops::linear_add(&mixed, &self.w_out, x, &params.linear(num_tokens, d_queries, d_model))
    }
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
