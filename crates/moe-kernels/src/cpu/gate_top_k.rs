//! Twin of `shaders/gate_top_k.wgsl`: gate logits, the k largest, and their weights.

use super::dot::add_matrix_times_matrix;
use crate::exp::{exp, largest};
use crate::params::GateParams;
use crate::{SLOT_LOST, routing_width};

/// `x`: `[tokens, d_model]`; `gate`: `[d_model, experts]`; `routing`: `[tokens, experts + 4 k]`, a row being
/// `[logits | expert | weight | gate probability | slot]`.
pub fn gate_top_k(x: &[f32], gate: &[f32], params: GateParams, routing: &mut [f32]) {
    let (d_model, num_experts, k) = (params.d_model as usize, params.num_experts as usize, params.k as usize);
    let rows = routing.chunks_exact_mut(routing_width(num_experts, k));
    let mut all_logits = vec![0.0f32; params.num_tokens as usize * num_experts];
    add_matrix_times_matrix(x, d_model, gate, num_experts, &mut all_logits);
    for (logits, row) in all_logits.chunks_exact_mut(num_experts).zip(rows) {
        let largest = largest(logits);
        let mut total = 0.0;
        for logit in logits.iter() {
            total += exp(logit - largest);
        }

        let (row_logits, chosen) = row.split_at_mut(num_experts);
        row_logits.copy_from_slice(logits);
        let (experts, chosen) = chosen.split_at_mut(k);
        let (weights, chosen) = chosen.split_at_mut(k);
        let (probabilities, slots) = chosen.split_at_mut(k);
        let mut chosen_total = 0.0;
        for rank in 0..k {
            let (mut best, mut best_logit) = (0, -3.4e38f32);
            for (expert, &logit) in logits.iter().enumerate() {
                if logit > best_logit {
                    (best, best_logit) = (expert, logit);
                }
            }
            logits[best] = -3.4e38;
            let e = exp(best_logit - largest);
            chosen_total += e;
            experts[rank] = best as f32;
            weights[rank] = e;
            probabilities[rank] = e / total;
            slots[rank] = SLOT_LOST;
        }
        let divisor = if params.normalised == 1 { chosen_total } else { total };
        for weight in weights {
            *weight /= divisor;
        }
    }
}
