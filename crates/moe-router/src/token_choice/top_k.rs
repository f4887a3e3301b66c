//! Top-k routing: the `k` experts with the largest gate logits, under one of four weightings.
//!
//! With `q = softmax(z)` over all experts and `idx` the chosen ones:
//! raw `q[idx]` (OLMoE, arXiv:2409.02060; Qwen2-MoE), norm `q[idx] / Σ q[idx]` (Mixtral, arXiv:2401.04088, section
//! 2.1; Qwen3-MoE), softmax after selection `softmax(z[idx])` (Shazeer et al. 2017, arXiv:1701.06538, eq. 3, without
//! its noise; Granite, gpt-oss), p-norm `q[idx] / ‖q[idx]‖_p` (DBRX).
//!
//! Norm and softmax-after are the same number but for rounding, since the shared denominator cancels. Raw weights sum
//! to less than 1, so the layer's output shrinks where the gate is unsure. With k = 1, norm is the constant 1 and gives
//! the gate no gradient. Causal; the same in training and inference.
//! Deviation: softmax over all experts is taken in f64 and rounded to f32 once, at the end.

use moe_trace::{GateLogits, Weighting};

use crate::gate::{softmax, top_k};
use crate::request::Request;

/// `k` requests per token, by descending logit. `1 <= k <= num_experts`.
pub fn requests(gate_logits: &GateLogits, k: usize, weighting: Weighting) -> Vec<Request> {
    let mut requests = Vec::with_capacity(gate_logits.num_tokens() * k);
    for (token, logits) in gate_logits.rows().enumerate() {
        let probs = softmax(logits);
        let experts = top_k(logits, k);
        let weights = weights(logits, &probs, &experts, weighting);
        for (rank, (&expert, weight)) in experts.iter().zip(weights).enumerate() {
            requests.push(Request::new(token, rank, expert, weight, probs[expert]));
        }
    }
    requests
}

/// Combine weights of the chosen `experts`, `[k]`, from one token's `logits` and `probs`, both `[experts]`.
pub fn weights(logits: &[f32], probs: &[f64], experts: &[usize], weighting: Weighting) -> Vec<f64> {
    let raw = experts.iter().map(|&expert| probs[expert]);
    match weighting {
        Weighting::Raw => raw.collect(),
        Weighting::Norm => {
            // The first choice has at least 1/E, so the sum is never 0.
            let sum: f64 = raw.clone().sum();
            raw.map(|p| p / sum).collect()
        }
        Weighting::SoftmaxAfter => {
            let chosen: Vec<f32> = experts.iter().map(|&expert| logits[expert]).collect();
            softmax(&chosen)
        }
        Weighting::PNorm { p: order } => {
            // Relative to the largest, so that a large order does not underflow: ‖q‖_p = q_0 · ‖q / q_0‖_p.
            let (order, largest) = (f64::from(order), probs[experts[0]]);
            let sum: f64 = raw.clone().map(|p| (p / largest).powf(order)).sum();
            let norm = largest * sum.powf(1.0 / order);
            raw.map(|p| p / norm).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(weighting: Weighting, expected: [[f32; 2]; 2]) {
        // Tokens 0 and 2 of the running example choose experts 0, 1 and 0, 3.
        let values = vec![1.85, 0.65, -1.05, -0.60, 1.44, -0.10, 0.02, 0.80];
        let gate_logits = GateLogits::new(4, values).expect("two rows of four");
        let requests = requests(&gate_logits, 2, weighting);
        let experts: Vec<u32> = requests.iter().map(|request| request.expert.0).collect();
        assert_eq!(experts, [0, 1, 0, 3]);
        for (request, weight) in requests.iter().zip(expected.as_flattened()) {
            assert!((request.weight - weight).abs() < 5e-5, "{weighting:?}: {} for {weight}", request.weight);
        }
        assert!((requests[3].weight_raw - 0.2659).abs() < 5e-5);
    }

    #[test]
    fn weightings_of_the_running_example() {
        check(Weighting::Raw, [[0.6932, 0.2088], [0.5042, 0.2659]]);
        check(Weighting::Norm, [[0.7685, 0.2315], [0.6548, 0.3452]]);
        check(Weighting::SoftmaxAfter, [[0.7685, 0.2315], [0.6548, 0.3452]]);
        check(Weighting::PNorm { p: 1.0 }, [[0.7685, 0.2315], [0.6548, 0.3452]]);
        check(Weighting::PNorm { p: 2.0 }, [[0.9575, 0.2884], [0.8846, 0.4664]]);
        // A huge order is the maximum norm: the winner gets 1, the other its share of the winner.
        check(Weighting::PNorm { p: 5000.0 }, [[1.0, 0.2088 / 0.6932], [1.0, 0.5273]]);
    }
}
