//! The dense-to-sparse gate of EvoMoE (Nie et al. 2021, arXiv:2112.14397): many experts at first, fewer and fewer as a
//! temperature falls.
//!
//! `y = softmax((ln p + g) / τ)` with Gumbel draws `g`; entries up to a threshold (0.02) are set to 0 and the rest is
//! not renormalised. No capacity and no balance loss in that phase; the [losses](crate::losses) take an entry that was
//! dropped for no choice. Causal.
//! Training only: at inference the gate is plain top-1 of the softmax, [`switch`](super::switch).
//! The annealing of `τ` (2.0 down to 0.3) is not in the released gate; that schedule is ours.

use moe_trace::{Fate, GateLogits};

use crate::decimal::as_written;
use crate::gate::{softmax, top_k};
use crate::request::Request;

/// Entries up to this weight are dropped in the released code.
pub const DEFAULT_THRESHOLD: f32 = 0.02;

/// A request for every expert, by descending `y`; those at or below `threshold` are withdrawn as
/// [`Fate::BelowThreshold`]. `gumbels`: `[tokens, experts]`, missing draws count as 0. `temperature > 0`.
pub fn requests(gate_logits: &GateLogits, gumbels: &[f32], temperature: f32, threshold: f32) -> Vec<Request> {
    let num_experts = gate_logits.num_experts();
    let (temperature, threshold) = (as_written(temperature), as_written(threshold));
    let mut requests = Vec::with_capacity(gate_logits.values().len());
    for (token, logits) in gate_logits.rows().enumerate() {
        let probs = softmax(logits);
        let perturbed: Vec<f64> = (0..num_experts)
            .map(|expert| {
                let gumbel = gumbels.get(token * num_experts + expert).copied().unwrap_or(0.0);
                // ln p is z but for a constant per token, which softmax forgets; z has no ln 0.
                (f64::from(logits[expert]) + f64::from(gumbel)) / temperature
            })
            .collect();
        let weights = softmax(&perturbed);
        for (rank, expert) in top_k(&perturbed, num_experts).into_iter().enumerate() {
            let mut request = Request::new(token, rank, expert, weights[expert], probs[expert]);
            if weights[expert] <= threshold {
                request.withdrawn = Some(Fate::BelowThreshold);
            }
            requests.push(request);
        }
    }
    requests
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many experts one token with logits [1, 0, -1] asks at a temperature, without noise.
    fn check(temperature: f32, expected: usize) {
        let gate_logits = GateLogits::new(3, vec![1.0, 0.0, -1.0]).expect("one row");
        let requests = requests(&gate_logits, &[], temperature, DEFAULT_THRESHOLD);
        let asked: Vec<&Request> = requests.iter().filter(|request| request.withdrawn.is_none()).collect();
        assert_eq!(asked.len(), expected, "at temperature {temperature}: {requests:?}");
    }

    #[test]
    fn cooling_makes_it_sparse() {
        check(2.0, 3);
        // softmax(1/0.5, 0, -1/0.5) = [0.867, 0.117, 0.016]
        check(0.5, 2);
        check(0.2, 1);
    }
}
