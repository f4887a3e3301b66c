//! Importance loss (Shazeer et al. 2017, arXiv:1701.06538, eq. 6-7): how unevenly weight is spread over experts.
//!
//! `I_e = Σ_t gates[t,e]`, `L = CV²(I) = var(I) / mean(I)²` with the population variance. Shazeer sums the sparse gates
//! after top-k and before any drop; V-MoE (arXiv:2106.05974, app. A.2) the whole softmax. Tutel's unbiased variance is
//! left out.
//!
//! The [running example](crate::example): over the whole softmax the experts' importances are 2.70, 1.26, 0.92, 1.11. Top-2
//! weights are less even, since what is not among the two best is cut off: 2.83, 1.27, 0.84, 1.06.
//!
//! ```
//! use moe_router::example::{self, assert_close};
//! use moe_router::{dispatch::dropless, gate_probs, losses, token_choice::top_k};
//!
//! let gate_logits = example::gate_logits();
//! assert_close(&[losses::importance_of_probs(&gate_probs(&gate_logits), 4, &[])], &[0.2205]);
//! let routing = dropless(&top_k::requests(&gate_logits, 2, moe_trace::Weighting::Norm), 6, 4);
//! assert_close(&[losses::importance_of_weights(&routing)], &[0.2720]);
//! // Mean 1.5, variance (6.25 + 2.25 + 0.25 + 0.25) / 4 = 2.25, over 1.5².
//! assert_close(&[moe_router::metrics::squared_variation(&[4.0, 0.0, 1.0, 1.0])], &[1.0]);
//! ```

use moe_trace::{Fate, Routing};

use super::real_rows;
use crate::metrics::squared_variation;

/// Shazeer's importance loss: of the weights the router gave out, before drops. Withdrawn requests count nothing.
pub fn importance_of_weights(routing: &Routing) -> f64 {
    squared_variation(&sums_of_weights(routing))
}

/// The importances `I` that it is of, `[experts]`: weights given out, summed over tokens.
pub fn sums_of_weights(routing: &Routing) -> Vec<f64> {
    let mut importance = vec![0.0; routing.num_experts as usize];
    for assignment in routing.assignments.iter().filter(|a| matches!(a.fate, Fate::Kept { .. } | Fate::Lost)) {
        importance[assignment.expert.index()] += f64::from(assignment.weight);
    }
    importance
}

/// V-MoE's importance loss: of the whole softmax. `gate_probs`: `[tokens, experts]`, row-major.
/// `is_padding`: `[tokens]`, or empty for none.
pub fn importance_of_probs(gate_probs: &[f32], num_experts: usize, is_padding: &[bool]) -> f64 {
    squared_variation(&sums_of_probs(gate_probs, num_experts, is_padding))
}

/// The importances `I` that it is of, `[experts]`: gate probabilities, summed over tokens.
pub fn sums_of_probs(gate_probs: &[f32], num_experts: usize, is_padding: &[bool]) -> Vec<f64> {
    let mut importance = vec![0.0; num_experts];
    for probs in real_rows(gate_probs.chunks(num_experts), is_padding) {
        for (sum, &p) in importance.iter_mut().zip(probs) {
            *sum += f64::from(p);
        }
    }
    importance
}
