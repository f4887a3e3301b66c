//! Top-p routing (Huang et al. 2024, "Harder Tasks Need More Experts", arXiv:2403.07652): as many experts as it takes.
//!
//! Experts by descending probability until their sum exceeds `p`; the one that crosses is included, so at least one is
//! asked and at most all. Weights are the raw probabilities. Causal, the same in training and inference.
//! The paper's threshold is 0.4. It needs the entropy of the gate as a loss ([`crate::metrics::entropy_mean`], times
//! 1e-4): otherwise training flattens the gate to buy more experts. No capacity in the paper.

use moe_trace::GateLogits;

use crate::decimal::as_written;
use crate::gate::{softmax, top_k};
use crate::request::Request;

/// The threshold of the paper.
pub const DEFAULT_THRESHOLD: f32 = 0.4;

/// Requests by descending probability until their sum is strictly greater than `threshold`.
pub fn requests(gate_logits: &GateLogits, threshold: f32) -> Vec<Request> {
    let threshold = as_written(threshold);
    let mut requests = Vec::with_capacity(gate_logits.num_tokens());
    for (token, logits) in gate_logits.rows().enumerate() {
        let probs = softmax(logits);
        let mut sum = 0.0;
        for (rank, expert) in top_k(logits, logits.len()).into_iter().enumerate() {
            requests.push(Request::new(token, rank, expert, probs[expert], probs[expert]));
            sum += probs[expert];
            if sum > threshold {
                break;
            }
        }
    }
    requests
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(threshold: f32, expected: &[&[u32]; 6]) {
        let requests = requests(&crate::test_support::running_example(), threshold);
        let found: Vec<Vec<u32>> =
            requests.chunk_by(|a, b| a.token == b.token).map(|rs| rs.iter().map(|r| r.expert.0).collect()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_threshold_is_the_number_that_was_written() {
        // Seven tenths do not exceed 0.7, though they exceed the f32 next to it.
        let gate_logits = GateLogits::new(10, vec![0.0; 10]).expect("one row");
        let sum: f64 = [0.1; 7].iter().sum();
        assert!(sum > f64::from(0.7_f32) && sum <= 0.7);
        assert_eq!(requests(&gate_logits, 0.7).len(), 8);
    }

    #[test]
    fn running_example() {
        check(0.4, &[&[0], &[0], &[0], &[2], &[0], &[3]]);
        check(0.7, &[&[0, 1], &[0, 1], &[0, 3], &[2, 1], &[0], &[3, 2]]);
        check(0.0, &[&[0], &[0], &[0], &[2], &[0], &[3]]);
    }
}
