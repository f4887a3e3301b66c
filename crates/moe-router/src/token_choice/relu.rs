//! ReLU routing (ReMoE, Wang et al. 2025, arXiv:2412.14711): an expert is on where its logit is positive.
//!
//! Gate `R = relu(z)`, weights `R` as they are, no selection at all: fully differentiable, and the number of experts
//! per token is whatever it is, 0 included. An L1 penalty, [`crate::losses::relu_l1`], and its coefficient, adapted
//! after every step, steer the average to `k`. Causal, dropless, the same in training and inference.

use moe_trace::GateLogits;

use crate::gate::top_k;
use crate::request::Request;

/// One request for every positive logit, largest first; none for a token without one.
pub fn requests(gate_logits: &GateLogits) -> Vec<Request> {
    let mut requests = Vec::new();
    for (token, logits) in gate_logits.rows().enumerate() {
        let num_positive = logits.iter().filter(|&&logit| logit > 0.0).count();
        for (rank, expert) in top_k(logits, num_positive).into_iter().enumerate() {
            let gate = f64::from(logits[expert]);
            requests.push(Request::new(token, rank, expert, gate, gate));
        }
    }
    requests
}

/// Fraction of gates that are off.
pub fn sparsity(gate_logits: &GateLogits) -> f64 {
    let off = gate_logits.values().iter().filter(|&&logit| logit <= 0.0).count();
    off as f64 / gate_logits.values().len().max(1) as f64
}

/// The penalty's coefficient after a step with `sparsity` over all layers: 1.2 times as much while more than `k` of
/// `num_experts` experts are on, else 1.2 times less. It starts at 1e-8.
pub fn adapted_coefficient(coefficient: f64, sparsity: f64, k: usize, num_experts: usize) -> f64 {
    let target = 1.0 - k as f64 / num_experts as f64;
    if sparsity < target { coefficient * 1.2 } else { coefficient / 1.2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_example() {
        let gate_logits = crate::test_support::running_example();
        let requests = requests(&gate_logits);
        let active: Vec<usize> = (0..6).map(|token| requests.iter().filter(|r| r.token == token).count()).collect();
        assert_eq!(active, [2, 2, 3, 2, 2, 3]);
        // A logit of 0 is off, and so are all logits of a token that wants nobody.
        assert_eq!(super::requests(&GateLogits::new(2, vec![0.0, -1.0]).expect("one row")), []);
        // 10 of 24 gates are off, 2 of 4 experts are wanted on average: too dense, so the penalty grows.
        assert!((sparsity(&gate_logits) - 10.0 / 24.0).abs() < 1e-12);
        assert_eq!(adapted_coefficient(1.0, sparsity(&gate_logits), 2, 4), 1.2);
        assert_eq!(adapted_coefficient(1.2, 0.5, 2, 4), 1.0);
    }
}
