//! Twin of `shaders/rope_cache.wgsl`: rotary positions; rotated keys and plain values go into the cache.

use crate::params::AttentionParams;

/// `qkv`: `[tokens, (heads + 2 kv_heads) · d_head]`; `angles`: `[max_tokens, 2, d_head / 2]`, cosines then sines;
/// `cache`: `[2, max_tokens, kv_heads · d_head]`, keys then values; `queries`: `[tokens, heads · d_head]`.
pub fn rope_cache(qkv: &[f32], angles: &[f32], params: AttentionParams, cache: &mut [f32], queries: &mut [f32]) {
    let AttentionParams { num_tokens, first_position, max_tokens, num_heads, num_kv_heads, d_head } = params;
    let (num_heads, num_kv_heads, d_head) = (num_heads as usize, num_kv_heads as usize, d_head as usize);
    let half = d_head / 2;
    let all_heads = num_heads + 2 * num_kv_heads;
    for token in 0..num_tokens as usize {
        let position = first_position as usize + token;
        let (cosines, sines) = angles[position * d_head..(position + 1) * d_head].split_at(half);
        for head in 0..all_heads {
            let source = (token * all_heads + head) * d_head;
            let (a, b) = qkv[source..source + d_head].split_at(half);
            let is_value = head >= num_heads + num_kv_heads;
            let target = if head < num_heads {
                let row = (token * num_heads + head) * d_head;
                &mut queries[row..row + d_head]
            } else {
                let (row, kv_head) = match is_value {
                    true => (position + max_tokens as usize, head - num_heads - num_kv_heads),
                    false => (position, head - num_heads),
                };
                let row = (row * num_kv_heads + kv_head) * d_head;
                &mut cache[row..row + d_head]
            };
            if is_value {
                target[..half].copy_from_slice(a);
                target[half..].copy_from_slice(b);
                continue;
            }
            for i in 0..half {
                target[i] = a[i] * cosines[i] - b[i] * sines[i];
                target[half + i] = a[i] * sines[i] + b[i] * cosines[i];
            }
        }
    }
}
