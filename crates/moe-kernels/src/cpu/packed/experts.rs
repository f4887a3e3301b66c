//! The experts of a layer with packed matrices. What is done with the products is said in the files of the f32 kernels.

use super::matrix::PackedMatrix;
use super::product::add_rows_times_packed;
use crate::cpu::expert_down::expert_down_by;
use crate::cpu::expert_up::expert_up_by;
use crate::params::ExpertParams;

/// A layer's experts, a matrix of each kind per expert.
#[derive(Debug, Clone)]
pub struct PackedExperts {
    /// `[d_model, d_expert]` each.
    pub w_gate: Vec<PackedMatrix>,
    /// `[d_model, d_expert]` each.
    pub w_up: Vec<PackedMatrix>,
    /// `[d_expert, d_model]` each.
    pub w_down: Vec<PackedMatrix>,
}

impl PackedExperts {
    /// The numbers of a pass with routing rows `[num_tokens, width]`.
    pub fn params(&self, num_tokens: usize, width: usize) -> ExpertParams {
        let num_experts = self.w_gate.len();
        let [d_model, d_expert] = self.w_gate.first().map_or([0; 2], |matrix| [matrix.d_in, matrix.d_out]);
        ExpertParams {
            num_tokens: num_tokens as u32,
            d_model: d_model as u32,
            d_expert: d_expert as u32,
            num_experts: num_experts as u32,
            k: ((width - num_experts) / 4) as u32,
        }
    }
}

/// `x`: `[tokens, d_model]`; `routing`: `[tokens, experts + 4 k]`, see `gate_top_k`; `hidden`: `[tokens · k, d_expert]`,
/// zero on entry.
pub fn expert_up(x: &[f32], routing: &[f32], experts: &PackedExperts, params: ExpertParams, hidden: &mut [f32]) {
    let times = |matrices: &[PackedMatrix], expert: usize, rows: &[&[f32]], out: &mut [&mut [f32]]| {
        add_rows_times_packed(rows, &vec![1.0; rows.len()], &matrices[expert], out);
    };
    let gate = |expert: usize, rows: &[&[f32]], out: &mut [&mut [f32]]| times(&experts.w_gate, expert, rows, out);
    let up = |expert: usize, rows: &[&[f32]], out: &mut [&mut [f32]]| times(&experts.w_up, expert, rows, out);
    expert_up_by(x, routing, gate, up, params, hidden);
}

/// `hidden`: `[tokens · k, d_expert]`; `residual`, `y`: `[tokens, d_model]`.
pub fn expert_down(
    hidden: &[f32],
    routing: &[f32],
    experts: &PackedExperts,
    residual: &[f32],
    params: ExpertParams,
    y: &mut [f32],
) {
    let product = |expert: usize, rows: &[&[f32]], weights: &[f32], out: &mut [&mut [f32]]| {
        add_rows_times_packed(rows, weights, &experts.w_down[expert], out);
    };
    expert_down_by(hidden, routing, product, residual, params, y);
}
