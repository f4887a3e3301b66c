//! Twin of `shaders/attention.wgsl`: causal attention over the cache. The shader takes the softmax in one sweep; here the
//! scores are taken first, so that their powers can be computed several at a time.

use crate::exp::{exp, largest};
use crate::params::AttentionParams;

/// Positions whose scores are computed beside each other, so that none waits for another's sums.
const TOGETHER: usize = 8;

/// Columns of the values that are summed in registers while the positions pass by: eight registers, and where fewer are
/// left, two.
const WIDE: usize = 32;
const NARROW: usize = 8;

/// `queries`, `y`: `[tokens, heads · d_head]`; `cache`: `[2, max_tokens, kv_heads · d_head]`, keys then values.
pub fn attention(queries: &[f32], cache: &[f32], params: AttentionParams, y: &mut [f32]) {
    let AttentionParams { num_tokens, first_position, max_tokens, num_heads, num_kv_heads, d_head } = params;
    let (num_heads, num_kv_heads, d_head) = (num_heads as usize, num_kv_heads as usize, d_head as usize);
    let scale = 1.0 / (d_head as f32).sqrt();
    let width = num_kv_heads * d_head;
    let (keys, values) = cache.split_at(max_tokens as usize * width);
    let mut scores = vec![0.0; (first_position + num_tokens) as usize];
    for (id, (query, y)) in queries.chunks_exact(d_head).zip(y.chunks_exact_mut(d_head)).enumerate() {
        let (token, head) = (id / num_heads, id % num_heads);
        let column = head / (num_heads / num_kv_heads) * d_head;
        let scores = &mut scores[..=first_position as usize + token];
        score(query, &keys[column..], width, scores);
        for score in scores.iter_mut() {
            *score *= scale;
        }
        let largest = largest(scores);
        for score in scores.iter_mut() {
            *score = exp(*score - largest);
        }
        let total: f32 = scores.iter().sum();
        let wide = d_head - d_head % WIDE;
        for at in (0..wide).step_by(WIDE) {
            mix::<WIDE>(scores, &values[column + at..], width, total, &mut y[at..]);
        }
        let whole = d_head - d_head % NARROW;
        for at in (wide..whole).step_by(NARROW) {
            mix::<NARROW>(scores, &values[column + at..], width, total, &mut y[at..]);
        }
        for at in whole..d_head {
            mix::<1>(scores, &values[column + at..], width, total, &mut y[at..]);
        }
    }
}

/// `scores[position] = query · keys[position]`. `keys`: `[positions, width]`, of which the first columns count.
fn score(query: &[f32], keys: &[f32], width: usize, scores: &mut [f32]) {
    let key = |position: usize| &keys[position * width..][..query.len()];
    let (several, rest) = scores.as_chunks_mut::<TOGETHER>();
    for (at, scores) in several.iter_mut().enumerate() {
        *scores = dots(query, std::array::from_fn(|one| key(at * TOGETHER + one)));
    }
    for (score, at) in rest.iter_mut().zip(several.len() * TOGETHER..) {
        [*score] = dots(query, [key(at)]);
    }
}

/// Dot products of a row with others, each of four partial sums, so that the compiler may use SIMD registers.
#[inline(always)]
fn dots<const N: usize>(a: &[f32], rows: [&[f32]; N]) -> [f32; N] {
    let (chunks, rest) = a.as_chunks::<4>();
    // Of one length for sure, so that the loop below need not check its bounds.
    let others = rows.map(|row| &row.as_chunks::<4>().0[..chunks.len()]);
    let mut sums = [[0.0f32; 4]; N];
    for (at, a) in chunks.iter().enumerate() {
        for (sums, other) in sums.iter_mut().zip(others) {
            for i in 0..4 {
                sums[i] += a[i] * other[at][i];
            }
        }
    }
    std::array::from_fn(|n| {
        let others = &rows[n][chunks.len() * 4..];
        let rest: f32 = rest.iter().zip(others).map(|(a, b)| a * b).sum();
        (sums[n][0] + sums[n][1]) + (sums[n][2] + sums[n][3]) + rest
    })
}

/// `y[..C] = Σ scores[position] · values[position] / total`. `values`: `[positions, width]`, of which the first `C` columns
/// count.
#[inline(always)]
fn mix<const C: usize>(scores: &[f32], values: &[f32], width: usize, total: f32, y: &mut [f32]) {
    let mut sums = [0.0f32; C];
    for (position, p) in scores.iter().enumerate() {
        let values: &[f32; C] = values[position * width..][..C].try_into().expect("a slice of C columns");
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += p * value;
        }
    }
    for (y, sum) in y.iter_mut().zip(sums) {
        *y = sum / total;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One number after the other, in the order in which each is summed.
    fn plainly(queries: &[f32], cache: &[f32], params: AttentionParams) -> Vec<f32> {
        let [first, max, heads, kv_heads, d_head] =
            [params.first_position, params.max_tokens, params.num_heads, params.num_kv_heads, params.d_head]
                .map(|number| number as usize);
        let mut y = Vec::new();
        for (id, query) in queries.chunks_exact(d_head).enumerate() {
            let (token, kv_head) = (id / heads, id % heads / (heads / kv_heads));
            let row = |position: usize| &cache[(position * kv_heads + kv_head) * d_head..][..d_head];
            let score = |position: usize| {
                let products =
                    |lane: usize| (lane..d_head - d_head % 4).step_by(4).map(|i| query[i] * row(position)[i]);
                let sums = [0, 1, 2, 3].map(|lane| products(lane).fold(0.0, |sum, product| sum + product));
                let rest: f32 = (d_head - d_head % 4..d_head).map(|i| query[i] * row(position)[i]).sum();
                1.0 / (d_head as f32).sqrt() * ((sums[0] + sums[1]) + (sums[2] + sums[3]) + rest)
            };
            let scores: Vec<f32> = (0..=first + token).map(score).collect();
            let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let powers: Vec<f32> = scores.iter().map(|score| exp(score - largest)).collect();
            let total: f32 = powers.iter().sum();
            for i in 0..d_head {
                let sum = powers.iter().enumerate().fold(0.0, |sum, (position, p)| sum + p * row(max + position)[i]);
                y.push(sum / total);
            }
        }
        y
    }

    #[test]
    fn every_bit_is_that_of_the_plain_sums() {
        for (num_heads, num_kv_heads, d_head) in [(4, 2, 32), (2, 1, 48), (2, 2, 7), (1, 1, 19)] {
            for (first_position, num_tokens) in [(0, 1), (0, 19), (7, 1), (8, 2), (30, 1)] {
                let params =
                    AttentionParams { num_tokens, first_position, max_tokens: 31, num_heads, num_kv_heads, d_head };
                let numbers = |len: u32, step: u32| -> Vec<f32> {
                    (0..len).map(|i| ((i * step % 211) as f32 - 105.0) / 37.0).collect()
                };
                let queries = numbers(num_tokens * num_heads * d_head, 67);
                let cache = numbers(2 * 31 * num_kv_heads * d_head, 89);
                let mut y = vec![f32::NAN; queries.len()];
                attention(&queries, &cache, params, &mut y);
                assert_eq!(y, plainly(&queries, &cache, params), "{params:?}");
            }
        }
    }
}
