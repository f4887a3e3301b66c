//! Twin of `shaders/project_qkv.wgsl`: norm, product with the matrix of queries, keys and values, rotation, cache.

use super::linear::linear;
use super::rms_norm::rms_norm;
use super::rope_cache::rope_cache;
use crate::params::{LinearParams, QkvParams, RowParams};

/// `x`: `[tokens, d_model]`; `gain`: `[d_model]`; `weight`: `[d_model, (heads + 2 kv_heads) · d_head]`; `angles`:
/// `[max_tokens, 2, d_head / 2]`; `cache`: `[2, max_tokens, kv_heads · d_head]`; `queries`: `[tokens, heads · d_head]`.
pub fn project_qkv(
    x: &[f32],
    gain: &[f32],
    weight: &[f32],
    angles: &[f32],
    params: QkvParams,
    cache: &mut [f32],
    queries: &mut [f32],
) {
    let QkvParams { num_tokens, num_heads, num_kv_heads, d_head, d_model, .. } = params;
    let mut normed = vec![0.0; x.len()];
    rms_norm(x, gain, RowParams { num_tokens, d_model }, &mut normed);
    let d_out = (num_heads + 2 * num_kv_heads) * d_head;
    let mut qkv = vec![0.0; (num_tokens * d_out) as usize];
    linear(&normed, weight, LinearParams { num_tokens, d_in: d_model, d_out }, &mut qkv);
    rope_cache(&qkv, angles, params.attention(), cache, queries);
}
