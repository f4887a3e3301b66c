//! Twin of `shaders/attention.wgsl`: causal attention over the cache, the softmax taken in one sweep.

use crate::MAX_D_HEAD;
use crate::params::AttentionParams;

/// `queries`, `y`: `[tokens, heads · d_head]`; `cache`: `[2, max_tokens, kv_heads · d_head]`, keys then values.
pub fn attention(queries: &[f32], cache: &[f32], params: AttentionParams, y: &mut [f32]) {
    let AttentionParams { first_position, max_tokens, num_heads, num_kv_heads, d_head, .. } = params;
    let (num_heads, num_kv_heads, d_head) = (num_heads as usize, num_kv_heads as usize, d_head as usize);
    let scale = 1.0 / (d_head as f32).sqrt();
    for (id, (query, y)) in queries.chunks_exact(d_head).zip(y.chunks_exact_mut(d_head)).enumerate() {
        let (token, head) = (id / num_heads, id % num_heads);
        let kv_head = head / (num_heads / num_kv_heads);
        let mut largest = -3.4e38f32;
        let mut total = 0.0;
        let mut sum = [0.0; MAX_D_HEAD];
        let sum = &mut sum[..d_head];
        for position in 0..=first_position as usize + token {
            let key = (position * num_kv_heads + kv_head) * d_head;
            let value = ((position + max_tokens as usize) * num_kv_heads + kv_head) * d_head;
            let score = scale * dot(query, &cache[key..key + d_head]);
            if score > largest {
                let shrink = (largest - score).exp();
                largest = score;
                total *= shrink;
                for sum in sum.iter_mut() {
                    *sum *= shrink;
                }
            }
            let p = (score - largest).exp();
            total += p;
            for (sum, value) in sum.iter_mut().zip(&cache[value..value + d_head]) {
                *sum += p * value;
            }
        }
        for (y, sum) in y.iter_mut().zip(sum) {
            *y = *sum / total;
        }
    }
}

/// Four partial sums, so that the compiler may use SIMD registers.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 4];
    let (a_chunks, b_chunks) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f32 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a_chunks.zip(b_chunks) {
        for i in 0..4 {
            sums[i] += a[i] * b[i];
        }
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}
