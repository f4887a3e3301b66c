//! Twin of `shaders/attention.wgsl`: causal attention over the cache. The shader takes the softmax in one sweep; here the
//! scores are taken first, so that their powers can be computed several at a time.

use crate::exp::exp;
use crate::params::AttentionParams;

/// `queries`, `y`: `[tokens, heads · d_head]`; `cache`: `[2, max_tokens, kv_heads · d_head]`, keys then values.
pub fn attention(queries: &[f32], cache: &[f32], params: AttentionParams, y: &mut [f32]) {
    let AttentionParams { num_tokens, first_position, max_tokens, num_heads, num_kv_heads, d_head } = params;
    let (num_heads, num_kv_heads, d_head) = (num_heads as usize, num_kv_heads as usize, d_head as usize);
    let scale = 1.0 / (d_head as f32).sqrt();
    let mut scores = vec![0.0; (first_position + num_tokens) as usize];
    for (id, (query, y)) in queries.chunks_exact(d_head).zip(y.chunks_exact_mut(d_head)).enumerate() {
        let (token, head) = (id / num_heads, id % num_heads);
        let kv_head = head / (num_heads / num_kv_heads);
        let at = |row: usize| (row * num_kv_heads + kv_head) * d_head;
        let scores = &mut scores[..=first_position as usize + token];
        let mut largest = f32::NEG_INFINITY;
        for (position, score) in scores.iter_mut().enumerate() {
            *score = scale * dot(query, &cache[at(position)..][..d_head]);
            largest = largest.max(*score);
        }
        for score in scores.iter_mut() {
            *score = exp(*score - largest);
        }
        let total: f32 = scores.iter().sum();
        y.fill(0.0);
        for (position, p) in scores.iter().enumerate() {
            for (y, value) in y.iter_mut().zip(&cache[at(position + max_tokens as usize)..][..d_head]) {
                *y += p * value;
            }
        }
        for y in y.iter_mut() {
            *y /= total;
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
