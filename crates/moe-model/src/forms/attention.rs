//! Causal self-attention with rotary positions and grouped key-value heads.

use burn::module::{Module, Param};
use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Tensor};

use super::initial::Initial;
use crate::tensors::matmul_shared;

/// Queries computed at once.
const STRETCH: usize = 64;

/// The score of a later token: no exponential sees it.
const FUTURE: f32 = -1e9;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttentionConfig {
    pub d_model: usize,
    pub num_heads: usize,
    /// Several query heads share one.
    pub num_kv_heads: usize,
    pub d_head: usize,
}

#[derive(Module, Debug)]
pub struct Attention {
    /// `[d_model, (heads + 2 kv_heads) · d_head]`: queries, keys, values.
    pub w_qkv: Param<Tensor<2>>,
    /// `[heads · d_head, d_model]`
    pub w_out: Param<Tensor<2>>,
    #[module(skip)]
    pub config: AttentionConfig,
}

impl AttentionConfig {
    /// Width of all queries of a token.
    pub fn d_queries(&self) -> usize {
        self.num_heads * self.d_head
    }

    /// Width of all keys of a token, and of all its values.
    pub fn d_keys(&self) -> usize {
        self.num_kv_heads * self.d_head
    }

    pub fn num_parameters(&self) -> usize {
        self.d_model * (2 * self.d_queries() + 2 * self.d_keys())
    }

    pub fn init(&self, initial: &mut Initial) -> Attention {
        let (from_model, from_heads) = (initial.by_inputs(self.d_model), initial.into_residual(self.d_queries()));
        Attention {
            w_qkv: initial.normal([self.d_model, self.d_queries() + 2 * self.d_keys()], from_model),
            w_out: initial.normal([self.d_queries(), self.d_model], from_heads),
            config: *self,
        }
    }
}

impl Attention {
    /// `x`: `[sequences, tokens, d_model]`, normed; `angles`: `[tokens, 2, d_head / 2]`, cosines then sines. Gives
    /// `[sequences, tokens, d_model]`, without the residual.
    pub fn forward(&self, x: Tensor<3>, angles: &Tensor<3>) -> Tensor<3> {
        let AttentionConfig { num_heads, num_kv_heads, d_head, .. } = self.config;
        let (d_queries, d_keys) = (self.config.d_queries(), self.config.d_keys());
        let [num_sequences, num_tokens, _] = x.dims();
        let qkv = matmul_shared(x, self.w_qkv.val());
        let heads = |from: usize, width: usize, num_heads: usize| -> Tensor<4> {
            qkv.clone()
                .slice([0..num_sequences, 0..num_tokens, from..from + width])
                .reshape([num_sequences, num_tokens, num_heads, d_head])
                .swap_dims(1, 2)
        };
        let queries = rotate(heads(0, d_queries, num_heads), angles);
        let keys = rotate(heads(d_queries, d_keys, num_kv_heads), angles);
        let values = heads(d_queries + d_keys, d_keys, num_kv_heads);

        // Query head h reads key-value head h / shared.
        let shared = num_heads / num_kv_heads;
        let share = |kv: Tensor<4>| -> Tensor<4> {
            let kv: Tensor<5> = kv.unsqueeze_dim(2);
            kv.expand([num_sequences, num_kv_heads, shared, num_tokens, d_head]).reshape([
                num_sequences,
                num_heads,
                num_tokens,
                d_head,
            ])
        };
        let (keys, values) = (share(keys), share(values));

        // A stretch of queries at a time, against the keys up to its end: most of what lies in the future is never
        // computed.
        let stretches = (0..num_tokens).step_by(STRETCH).map(|from| {
            let to = num_tokens.min(from + STRETCH);
            let stretch = queries.clone().narrow(2, from, to - from);
            let scores = stretch.matmul(keys.clone().narrow(2, 0, to).swap_dims(2, 3));
            let later = Tensor::<2, Bool>::tril_mask([to - from, to], from as i64, &scores.device());
            let later = later.unsqueeze::<4>().expand(scores.dims());
            let scores = (scores / (d_head as f64).sqrt()).mask_fill(later, FUTURE);
            softmax(scores, 3).matmul(values.clone().narrow(2, 0, to))
        });
        let y = Tensor::cat(stretches.collect(), 2);
        matmul_shared(y.swap_dims(1, 2).reshape([num_sequences, num_tokens, d_queries]), self.w_out.val())
    }
}

/// Rotates dimensions (i, i + d_head / 2) by the angle of their position (arXiv:2104.09864).
///
/// `x`: `[sequences, heads, tokens, d_head]`.
fn rotate(x: Tensor<4>, angles: &Tensor<3>) -> Tensor<4> {
    let [num_sequences, num_heads, num_tokens, d_head] = x.dims();
    let half = d_head / 2;
    let table = |row: usize| -> Tensor<4> {
        angles.clone().slice([0..num_tokens, row..row + 1, 0..half]).reshape([1, 1, num_tokens, half])
    };
    let (cosines, sines) = (table(0), table(1));
    let part = |from: usize| x.clone().slice([0..num_sequences, 0..num_heads, 0..num_tokens, from..from + half]);
    let (a, b) = (part(0), part(half));
    let first = a.clone() * cosines.clone() - b.clone() * sines.clone();
    let second = a * sines + b * cosines;
    Tensor::cat(vec![first, second], 3)
}
