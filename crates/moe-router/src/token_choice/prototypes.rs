//! Expert prototyping (M6-T, Yang et al. 2021, arXiv:2105.15082): several small top-1 routers side by side.
//!
//! Experts are split into equal groups of neighbours ("prototypes"); each has a softmax of its own and takes its best
//! expert. Cheaper than top-k, whose rounds wait for each other. Causal; the same in training and inference. For the
//! capacity `k` is the number of prototypes. Rank is the prototype's index, not an order of preference.

use moe_trace::GateLogits;

use crate::gate::{softmax, top_k};
use crate::request::Request;

/// One request per token and prototype. `num_prototypes` divides the number of experts.
pub fn requests(gate_logits: &GateLogits, num_prototypes: usize) -> Vec<Request> {
    let size = gate_logits.num_experts() / num_prototypes;
    let mut requests = Vec::with_capacity(gate_logits.num_tokens() * num_prototypes);
    for (token, logits) in gate_logits.rows().enumerate() {
        for (prototype, of_prototype) in logits.chunks(size).enumerate() {
            let probs = softmax(of_prototype);
            let best = top_k(of_prototype, 1)[0];
            requests.push(Request::new(token, prototype, prototype * size + best, probs[best], probs[best]));
        }
    }
    requests
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_half_elects_its_own() {
        let gate_logits = GateLogits::new(4, vec![1.85, 0.65, -1.05, -0.60]).expect("one row");
        let found: Vec<(u32, f32)> = requests(&gate_logits, 2).iter().map(|r| (r.expert.0, r.weight)).collect();
        assert!(found[0].0 == 0 && (found[0].1 - 0.7685).abs() < 1e-4, "{found:?}");
        assert!(found[1].0 == 3 && (found[1].1 - 0.6106).abs() < 1e-4, "{found:?}");
    }
}
