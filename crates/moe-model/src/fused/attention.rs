//! A block's attention on the kernels, with its part of the key-value cache.

use burn::tensor::{Device, Tensor};
use moe_kernels::ops;
use moe_kernels::params::{AttentionParams, QkvParams, RowParams};

use super::matrix::Matrix;
use super::record::Record;
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
    pub params: AttentionParams,
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

    /// Adds what attention makes of `x` (`[tokens, d_model]`) after its norm to `x`.
    pub fn add_to(&mut self, x: &Tensor<2>, norm: &Tensor<1>, row: RowParams, positions: &Positions<'_>) -> Tensor<2> {
        let (angles, numbers) = (positions.angles, positions.params);
        let mixed = match &self.w_qkv {
            Matrix::F32(weight) => {
                let qkv = QkvParams::new(numbers, row.d_model);
                attend(self.config, numbers, &mut self.cache, |cache, d_queries| {
                    ops::project_qkv(x, norm, weight, angles, qkv, cache, d_queries)
                })
            }
            packed => {
                let qkv = packed.linear(&ops::rms_norm(x, norm, row));
                mixed(self.config, &qkv, angles, numbers, &mut self.cache)
            }
        };
        self.w_out.linear_add(&mixed, x)
    }

    /// The same for tokens of several texts, one of each: each attends to its own cache. `texts`: of each token the numbers
    /// of its attention and the cache of its text.
    pub fn add_to_each<'a>(
        &self,
        x: &Tensor<2>,
        norm: &Tensor<1>,
        row: RowParams,
        angles: &Tensor<3>,
        texts: impl Iterator<Item = (AttentionParams, &'a mut Option<Tensor<3>>)>,
    ) -> Tensor<2> {
        let qkv = self.w_qkv.linear(&ops::rms_norm(x, norm, row));
        let [num_tokens, width] = qkv.dims();
        let (d_queries, device) = (self.config.d_queries(), qkv.device());
        let mut all = Record::new(num_tokens * d_queries, &device);
        for (token, (numbers, cache)) in texts.enumerate() {
            let mut of_token = Record::new(width, &device);
            of_token.add(&qkv, token * width, width);
            let mixed = mixed(self.config, &of_token.into_rows(1), angles, numbers, cache);
            all.add(&mixed, 0, d_queries);
        }
        self.w_out.linear_add(&all.into_rows(num_tokens), x)
    }
}

/// Attention of one text's new tokens, whose keys and values go into its cache: `[tokens, heads · d_head]`.
fn mixed(
    config: AttentionConfig,
    qkv: &Tensor<2>,
    angles: &Tensor<3>,
    numbers: AttentionParams,
    cache: &mut Option<Tensor<3>>,
) -> Tensor<2> {
    attend(config, numbers, cache, |cache, d_queries| ops::rope_cache(qkv, angles, numbers, cache, d_queries))
}

/// The same, where `write` puts keys and values into the cache and gives it back with the queries, so many numbers wide.
fn attend(
    config: AttentionConfig,
    numbers: AttentionParams,
    cache: &mut Option<Tensor<3>>,
    write: impl FnOnce(Tensor<3>, usize) -> (Tensor<3>, Tensor<2>),
) -> Tensor<2> {
    let absent = "a cache is only absent while a kernel writes into it";
    let (written, queries) = write(cache.take().expect(absent), config.d_queries());
    let mixed = ops::attention(&queries, &written, numbers, config.d_head);
    *cache = Some(written);
    mixed
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
