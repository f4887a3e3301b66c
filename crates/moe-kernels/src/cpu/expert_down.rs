//! Twin of `shaders/expert_down.wgsl`: y = residual + Σ over kept requests of weight · (hidden · W_down).

use super::dot::add_rows_times_matrix;
use super::expert_up::kept_requests;
use crate::params::ExpertParams;
use crate::routing_width;

/// `hidden`: `[tokens · k, d_expert]`; `routing`: `[tokens, experts + 4 k]`, see `gate_top_k`;
/// `w_down`: `[experts, d_expert, d_model]`; `residual`, `y`: `[tokens, d_model]`.
///
/// Choices are summed in order of rank: each request's share is computed by expert, then added token by token.
pub fn expert_down(
    hidden: &[f32],
    routing: &[f32],
    w_down: &[f32],
    residual: &[f32],
    params: ExpertParams,
    y: &mut [f32],
) {
    let (d_model, d_expert) = (params.d_model as usize, params.d_expert as usize);
    let product = |expert: usize, rows: &[&[f32]], weights: &[f32], out: &mut [&mut [f32]]| {
        let matrix = &w_down[expert * d_expert * d_model..(expert + 1) * d_expert * d_model];
        add_rows_times_matrix(rows, weights, matrix, d_model, out);
    };
    expert_down_by(hidden, routing, product, residual, params, y);
}

/// The same with matrices of any kind: `product` adds to rows of `[d_model]` those of `[d_expert]` times an expert's
/// matrix, each by its weight.
pub(super) fn expert_down_by(
    hidden: &[f32],
    routing: &[f32],
    product: impl Fn(usize, &[&[f32]], &[f32], &mut [&mut [f32]]),
    residual: &[f32],
    params: ExpertParams,
    y: &mut [f32],
) {
    let (d_model, d_expert) = (params.d_model as usize, params.d_expert as usize);
    let (num_experts, k) = (params.num_experts as usize, params.k as usize);
    let width = routing_width(num_experts, k);
    let mut shares = vec![0.0; params.num_tokens as usize * k * d_model];
    let mut share_rows: Vec<Option<&mut [f32]>> = shares.chunks_exact_mut(d_model).map(Some).collect();
    for (expert, requests) in kept_requests(routing, params).iter().enumerate() {
        let rows: Vec<&[f32]> = requests.iter().map(|&request| &hidden[request * d_expert..][..d_expert]).collect();
        let weight = |&request: &usize| routing[request / k * width + num_experts + k + request % k];
        let weights: Vec<f32> = requests.iter().map(weight).collect();
        let mut out: Vec<&mut [f32]> = requests.iter().filter_map(|&request| share_rows[request].take()).collect();
        product(expert, &rows, &weights, &mut out);
    }
    for ((y, residual), shares) in
        y.chunks_exact_mut(d_model).zip(residual.chunks_exact(d_model)).zip(shares.chunks_exact(k * d_model))
    {
        for (column, (y, residual)) in y.iter_mut().zip(residual).enumerate() {
            let mut sum = 0.0;
            for rank in 0..k {
                sum += shares[rank * d_model + column];
            }
            *y = residual + sum;
        }
    }
}
