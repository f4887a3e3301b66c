//! Twin of `shaders/attention.wgsl`: causal attention over the cache. The shader takes the softmax in one sweep; here the
//! scores are taken first, so that their powers can be computed several at a time.

use std::array::from_fn;

use crate::exp::{exp, largest};
use crate::params::AttentionParams;

/// Scores that are computed beside each other, so that none waits for another's sums.
const TOGETHER: usize = 8;

/// Columns that are summed in registers while the positions pass by: eight registers, and where fewer are left, two.
const WIDE: usize = 32;
const NARROW: usize = 8;

/// `queries`, `y`: `[tokens, heads · d_head]`; `cache`: `[2, max_tokens, kv_heads · d_head]`, keys then values.
pub fn attention(queries: &[f32], cache: &[f32], params: AttentionParams, y: &mut [f32]) {
    // What two heads of queries look at together is read once for both.
    match (params.num_heads / params.num_kv_heads).is_multiple_of(2) {
        true => attend::<2, { TOGETHER / 2 }, { WIDE / 2 }, { NARROW / 2 }>(queries, cache, params, y),
        false => attend::<1, TOGETHER, WIDE, NARROW>(queries, cache, params, y),
    }
}

/// `Q` heads at a time, scores of `N` positions beside each other, then sums over `W` columns or `C`.
fn attend<const Q: usize, const N: usize, const W: usize, const C: usize>(
    queries: &[f32],
    cache: &[f32],
    params: AttentionParams,
    y: &mut [f32],
) {
    let AttentionParams { num_tokens, first_position, max_tokens, num_heads, num_kv_heads, d_head } = params;
    let (num_heads, num_kv_heads, d_head) = (num_heads as usize, num_kv_heads as usize, d_head as usize);
    let scale = 1.0 / (d_head as f32).sqrt();
    let width = num_kv_heads * d_head;
    let (keys, values) = cache.split_at(max_tokens as usize * width);
    let mut scores: [Vec<f32>; Q] = from_fn(|_| vec![0.0; (first_position + num_tokens) as usize]);
    for (id, (queries, y)) in queries.chunks_exact(Q * d_head).zip(y.chunks_exact_mut(Q * d_head)).enumerate() {
        let (token, head) = (id * Q / num_heads, id * Q % num_heads);
        let column = head / (num_heads / num_kv_heads) * d_head;
        let num_positions = first_position as usize + token + 1;
        let mut scores = scores.each_mut().map(|scores| &mut scores[..num_positions]);
        score::<Q, N>(from_fn(|q| &queries[q * d_head..][..d_head]), &keys[column..], width, &mut scores);
        for scores in &mut scores {
            for score in scores.iter_mut() {
                *score *= scale;
            }
            let largest = largest(scores);
            for score in scores.iter_mut() {
                *score = exp(*score - largest);
            }
        }
        let scores = scores.map(|scores| &*scores);
        let wide = d_head - d_head % W;
        for at in (0..wide).step_by(W) {
            mix::<Q, W>(scores, &values[column + at..], width, y, at);
        }
        let whole = d_head - d_head % C;
        for at in (wide..whole).step_by(C) {
            mix::<Q, C>(scores, &values[column + at..], width, y, at);
        }
        for at in whole..d_head {
            mix::<Q, 1>(scores, &values[column + at..], width, y, at);
        }
    }
}

/// `scores[q][position] = queries[q] · keys[position]`. `keys`: `[positions, width]`, of which the first columns count.
#[inline(always)]
fn score<const Q: usize, const N: usize>(
    queries: [&[f32]; Q],
    keys: &[f32],
    width: usize,
    scores: &mut [&mut [f32]; Q],
) {
    let key = |position: usize| &keys[position * width..][..queries[0].len()];
    let num_positions = scores[0].len();
    let whole = num_positions - num_positions % N;
    for at in (0..whole).step_by(N) {
        let products = dots::<Q, N>(queries, from_fn(|one| key(at + one)));
        for (scores, products) in scores.iter_mut().zip(products) {
            scores[at..at + N].copy_from_slice(&products);
        }
    }
    for at in whole..num_positions {
        let products = dots(queries, [key(at)]);
        for (scores, [product]) in scores.iter_mut().zip(products) {
            scores[at] = product;
        }
    }
}

/// Dot products of rows with others, each of four partial sums, so that the compiler may use SIMD registers.
#[inline(always)]
fn dots<const Q: usize, const N: usize>(rows: [&[f32]; Q], others: [&[f32]; N]) -> [[f32; N]; Q] {
    let num_chunks = rows[0].len() / 4;
    // Of one length for sure, so that the loop below need not check its bounds.
    let chunks = rows.map(|row| &row.as_chunks::<4>().0[..num_chunks]);
    let other_chunks = others.map(|other| &other.as_chunks::<4>().0[..num_chunks]);
    let mut sums = [[[0.0f32; 4]; N]; Q];
    for at in 0..num_chunks {
        for (sums, row) in sums.iter_mut().zip(chunks) {
            for (sums, other) in sums.iter_mut().zip(other_chunks) {
                for i in 0..4 {
                    sums[i] += row[at][i] * other[at][i];
                }
            }
        }
    }
    from_fn(|q| {
        from_fn(|n| {
            let rest = rows[q][num_chunks * 4..].iter().zip(&others[n][num_chunks * 4..]);
            let rest: f32 = rest.map(|(a, b)| a * b).sum();
            let sums = sums[q][n];
            (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
        })
    })
}

/// `y[q][at..at + C] = Σ scores[q][position] · values[position] / Σ scores[q]`. `values`: `[positions, width]`, of which
/// the first `C` columns count; `y`: `[Q, d_head]`.
#[inline(always)]
fn mix<const Q: usize, const C: usize>(scores: [&[f32]; Q], values: &[f32], width: usize, y: &mut [f32], at: usize) {
    let num_positions = scores[0].len();
    let scores = scores.map(|scores| &scores[..num_positions]);
    let (mut sums, mut totals) = ([[0.0f32; C]; Q], [0.0f32; Q]);
    for position in 0..num_positions {
        let values: &[f32; C] = values[position * width..][..C].try_into().expect("a slice of C columns");
        for ((sums, total), scores) in sums.iter_mut().zip(&mut totals).zip(scores) {
            let p = scores[position];
            *total += p;
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += p * value;
            }
        }
    }
    let d_head = y.len() / Q;
    for ((y, sums), total) in y.chunks_exact_mut(d_head).zip(sums).zip(totals) {
        for (y, sum) in y[at..].iter_mut().zip(sums) {
            *y = sum / total;
        }
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
        for (num_heads, num_kv_heads, d_head) in [(4, 2, 32), (2, 1, 48), (4, 1, 7), (2, 2, 7), (1, 1, 19), (3, 1, 40)]
        {
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
