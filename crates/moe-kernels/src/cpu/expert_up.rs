//! Twin of `shaders/expert_up.wgsl`: hidden = silu(x · W_gate) ⊙ (x · W_up), for kept requests.

use super::dot::add_rows_times_matrix;
use crate::exp::exp;
use crate::params::ExpertParams;
use crate::routing_width;

/// `x`: `[tokens, d_model]`; `routing`: `[tokens, experts + 4 k]`, see `gate_top_k`;
/// `w_gate`, `w_up`: `[experts, d_model, d_expert]`; `hidden`: `[tokens · k, d_expert]`, zero on entry.
pub fn expert_up(x: &[f32], routing: &[f32], w_gate: &[f32], w_up: &[f32], params: ExpertParams, hidden: &mut [f32]) {
    let (d_model, d_expert) = (params.d_model as usize, params.d_expert as usize);
    let times = |weights: &[f32], expert: usize, rows: &[&[f32]], out: &mut [&mut [f32]]| {
        let matrix = &weights[expert * d_model * d_expert..(expert + 1) * d_model * d_expert];
        add_rows_times_matrix(rows, &vec![1.0; rows.len()], matrix, d_expert, out);
    };
    let gate = |expert: usize, rows: &[&[f32]], out: &mut [&mut [f32]]| times(w_gate, expert, rows, out);
    let up = |expert: usize, rows: &[&[f32]], out: &mut [&mut [f32]]| times(w_up, expert, rows, out);
    expert_up_by(x, routing, gate, up, params, hidden);
}

/// The same with matrices of any kind: the products add to rows of `[d_expert]` those of `[d_model]` times an
/// expert's matrix.
pub(super) fn expert_up_by(
    x: &[f32],
    routing: &[f32],
    gate_product: impl Fn(usize, &[&[f32]], &mut [&mut [f32]]),
    up_product: impl Fn(usize, &[&[f32]], &mut [&mut [f32]]),
    params: ExpertParams,
    hidden: &mut [f32],
) {
    let (d_model, d_expert, k) = (params.d_model as usize, params.d_expert as usize, params.k as usize);
    let requests = kept_requests(routing, params);
    let mut hidden_rows: Vec<Option<&mut [f32]>> = hidden.chunks_exact_mut(d_expert).map(Some).collect();
    let most = requests.iter().map(Vec::len).max().unwrap_or(0);
    let mut up = vec![0.0; most * d_expert];
    // All requests to an expert share its weights.
    for (expert, requests) in requests.iter().enumerate() {
        let rows: Vec<&[f32]> = requests.iter().map(|&request| &x[request / k * d_model..][..d_model]).collect();
        let mut gate: Vec<&mut [f32]> = requests.iter().filter_map(|&request| hidden_rows[request].take()).collect();
        gate_product(expert, &rows, &mut gate);
        up.fill(0.0);
        let mut up: Vec<&mut [f32]> = up.chunks_exact_mut(d_expert).take(rows.len()).collect();
        up_product(expert, &rows, &mut up);
        for (gate, up) in gate.iter_mut().zip(&up) {
            for (gate, up) in gate.iter_mut().zip(up.iter()) {
                *gate = *gate / (1.0 + exp(-*gate)) * up;
            }
        }
    }
}

/// The requests that have a slot, by expert. A request is `token · k + rank`.
pub(super) fn kept_requests(routing: &[f32], params: ExpertParams) -> Vec<Vec<usize>> {
    let (num_experts, k) = (params.num_experts as usize, params.k as usize);
    let mut by_expert = vec![Vec::new(); num_experts];
    for (token, row) in routing.chunks_exact(routing_width(num_experts, k)).enumerate() {
        for rank in 0..k {
            if row[num_experts + 3 * k + rank] >= 0.0 {
                by_expert[row[num_experts + rank] as usize].push(token * k + rank);
            }
        }
    }
    by_expert
}
