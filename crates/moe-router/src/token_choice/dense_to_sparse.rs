//! The dense-to-sparse gate of EvoMoE (Nie et al. 2021, arXiv:2112.14397): many experts at first, fewer and fewer as a
//! temperature falls.
//!
//! `y = softmax((ln p + g) / τ)` with Gumbel draws `g`; entries up to a threshold (0.02) are set to 0 and the rest is
//! not renormalised. No capacity and no balance loss in that phase; the [losses](crate::losses) take an entry that was
//! dropped for no choice. Causal.
//! Training only: at inference the gate is plain top-1 of the softmax, [`switch`](super::switch).
//! The annealing of `τ` (2.0 down to 0.3) is not in the released gate; that schedule is ours.
//!
//! Token 0 of the [running example](crate::example) without draws, as it cools: warm it asks all four experts, at 0.5 two,
//! cold one. What is cut off is not made up for: 0.9081 + 0.0824 is less than 1.
//!
//! ```
//! use moe_router::example::{self, assert_close, experts, weights};
//! use moe_router::token_choice::dense_to_sparse::{DEFAULT_THRESHOLD, requests};
//!
//! let asked = |temperature| {
//!     let of_0 = requests(&example::gate_logits(), &[], temperature, DEFAULT_THRESHOLD).into_iter().take(4);
//!     of_0.filter(|request| request.withdrawn.is_none()).collect::<Vec<_>>()
//! };
//! assert_eq!(experts(&asked(2.0)), [0, 1, 3, 2]);
//! assert_eq!(experts(&asked(0.5)), [0, 1]);
//! assert_close(&weights(&asked(0.5)), &[0.9081, 0.0824]); // softmax(z / 0.5)
//! assert_eq!(experts(&asked(0.2)), [0]);
//! ```

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
