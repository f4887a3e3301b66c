//! Causal self-attention with rotary positions and grouped key-value heads.

use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Tensor};

use super::matmul_shared;
use crate::config::ModelConfig;
use crate::weights::Block;

/// Queries computed at once.
const STRETCH: usize = 64;

/// The score of a later token: no exponential sees it.
const FUTURE: f32 = -1e9;

/// `x`: `[sequences, tokens, d_model]`, normed; `angles`: `[tokens, 2, d_head / 2]`, cosines then sines.
pub fn forward(block: &Block, config: &ModelConfig, x: Tensor<3>, angles: &Tensor<3>) -> Tensor<3> {
    let [num_sequences, num_tokens, _] = x.dims();
    let (d_queries, d_keys) = config.d_attention();
    let qkv = matmul_shared(x, block.w_qkv.val());
    let heads = |from: usize, width: usize, num_heads: usize| -> Tensor<4> {
        qkv.clone()
            .slice([0..num_sequences, 0..num_tokens, from..from + width])
            .reshape([num_sequences, num_tokens, num_heads, config.d_head])
            .swap_dims(1, 2)
    };
    let queries = rotate(heads(0, d_queries, config.num_heads), angles);
    let keys = rotate(heads(d_queries, d_keys, config.num_kv_heads), angles);
    let values = heads(d_queries + d_keys, d_keys, config.num_kv_heads);

    // Query head h reads key-value head h / shared.
    let shared = config.num_heads / config.num_kv_heads;
    let share = |kv: Tensor<4>| -> Tensor<4> {
        let kv: Tensor<5> = kv.unsqueeze_dim(2);
        kv.expand([num_sequences, config.num_kv_heads, shared, num_tokens, config.d_head]).reshape([
            num_sequences,
            config.num_heads,
            num_tokens,
            config.d_head,
        ])
    };
    let (keys, values) = (share(keys), share(values));

    // A stretch of queries at a time, against the keys up to its end: most of what lies in the future is never computed.
    let stretches = (0..num_tokens).step_by(STRETCH).map(|from| {
        let to = num_tokens.min(from + STRETCH);
        let scores = queries.clone().narrow(2, from, to - from).matmul(keys.clone().narrow(2, 0, to).swap_dims(2, 3));
        let later = Tensor::<2, Bool>::tril_mask([to - from, to], from as i64, &scores.device());
        let later = later.unsqueeze::<4>().expand(scores.dims());
        let scores = (scores / (config.d_head as f64).sqrt()).mask_fill(later, FUTURE);
        softmax(scores, 3).matmul(values.clone().narrow(2, 0, to))
    });
    let y = Tensor::cat(stretches.collect(), 2);
    matmul_shared(y.swap_dims(1, 2).reshape([num_sequences, num_tokens, d_queries]), block.w_out.val())
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
