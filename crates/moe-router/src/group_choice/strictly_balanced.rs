//! Strictly balanced gating (Shazeer et al. 2017, arXiv:1701.06538, appendix F): the first expert choice, and the first
//! remedy for generating with it.
//!
//! Training: each expert keeps the `m = k T / E` tokens with the largest gate probability; a token's weights are its
//! probabilities over those that kept it, normalised. Not causal. Inference: a token is kept where its probability
//! exceeds the expert's threshold; causal. Thresholds are learned by a loss, 0 where both rules agree, that lowers a
//! threshold which keeps too few and raises one which keeps too many.
//! A token that nobody keeps is passed on by the residual alone.

use moe_trace::GateLogits;

use crate::gate::{gate_probs, softmax, top_k};
use crate::request::Request;

/// Training: which tokens each expert keeps, `[tokens, experts]`. `per_expert`: `m`; ties go to the earlier token.
pub fn batch_mask(gate_logits: &GateLogits, per_expert: usize) -> Vec<bool> {
    let (num_tokens, num_experts) = (gate_logits.num_tokens(), gate_logits.num_experts());
    let probs = gate_probs(gate_logits);
    let mut mask = vec![false; probs.len()];
    for expert in 0..num_experts {
        let of_expert: Vec<f32> = (0..num_tokens).map(|token| probs[token * num_experts + expert]).collect();
        for token in top_k(&of_expert, per_expert) {
            mask[token * num_experts + expert] = true;
        }
    }
    mask
}

/// Inference: which tokens exceed each expert's threshold, `[tokens, experts]`. `thresholds`: `[experts]`.
pub fn threshold_mask(gate_logits: &GateLogits, thresholds: &[f32]) -> Vec<bool> {
    let probs = gate_probs(gate_logits);
    probs.chunks(thresholds.len()).flat_map(|row| row.iter().zip(thresholds).map(|(p, limit)| p > limit)).collect()
}

/// Requests to the experts that keep a token, most probable first. `mask`: `[tokens, experts]`.
pub fn requests(gate_logits: &GateLogits, mask: &[bool]) -> Vec<Request> {
    let num_experts = gate_logits.num_experts();
    let mut requests = Vec::new();
    for (token, (logits, mask)) in gate_logits.rows().zip(mask.chunks(num_experts)).enumerate() {
        let probs = softmax(logits);
        let kept: Vec<usize> = top_k(logits, num_experts).into_iter().filter(|&expert| mask[expert]).collect();
        // Softmax over the keepers alone is the same as dividing by their sum, which might underflow to 0.
        let weights = softmax(&kept.iter().map(|&expert| logits[expert]).collect::<Vec<f32>>());
        for (rank, (&expert, weight)) in kept.iter().zip(weights).enumerate() {
            requests.push(Request::new(token, rank, expert, weight, probs[expert]));
        }
    }
    requests
}

/// `Σ_{t,e} (1{p > T_e} - mask[t,e]) · (p[t,e] - T_e)`, never negative; 0 where the thresholds keep what `mask` keeps.
///
/// `mask`: `[tokens, experts]`, from [`batch_mask`]. `thresholds`: `[experts]`.
pub fn threshold_loss(gate_logits: &GateLogits, mask: &[bool], thresholds: &[f32]) -> f64 {
    let by_threshold = threshold_mask(gate_logits, thresholds);
    let probs = gate_probs(gate_logits);
    let limits = thresholds.iter().cycle();
    let terms = probs.iter().zip(limits).zip(by_threshold.iter().zip(mask)).map(|((&p, &limit), (kept, should))| {
        (f64::from(u8::from(*kept)) - f64::from(u8::from(*should))) * (f64::from(p) - f64::from(limit))
    });
    terms.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_between_the_kept_and_the_others_cost_nothing() {
        let gate_logits = crate::test_support::running_example();
        // k = 2: every expert keeps 2 · 6 / 4 = 3 tokens.
        let mask = batch_mask(&gate_logits, 3);
        let kept: Vec<usize> = (0..4).map(|e| mask.iter().skip(e).step_by(4).filter(|kept| **kept).count()).collect();
        assert_eq!(kept, [3, 3, 3, 3]);
        // Expert 0 keeps t4 .7457, t0 .6932, t1 .5147 and leaves t2 .5042; and so on for the others.
        let thresholds = [0.51, 0.20, 0.10, 0.13];
        assert_eq!(threshold_mask(&gate_logits, &thresholds), mask);
        assert_eq!(threshold_loss(&gate_logits, &mask, &thresholds), 0.0);
        // A threshold of 0.6 loses t1, which is short of it by 0.0853.
        let loss = threshold_loss(&gate_logits, &mask, &[0.6, 0.20, 0.10, 0.13]);
        assert!((loss - 0.0853).abs() < 1e-4, "{loss}");
    }

    #[test]
    fn weights_are_shared_by_those_who_keep_the_token() {
        let gate_logits = crate::test_support::running_example();
        let requests = requests(&gate_logits, &batch_mask(&gate_logits, 3));
        for of_token in requests.chunk_by(|a, b| a.token == b.token) {
            assert!((of_token.iter().map(|r| r.weight).sum::<f32>() - 1.0).abs() < 1e-6);
        }
        // Token 4 is kept by expert 0 alone.
        let of_4: Vec<u32> = requests.iter().filter(|r| r.token == 4).map(|r| r.expert.0).collect();
        assert_eq!(of_4, [0]);
    }
}
