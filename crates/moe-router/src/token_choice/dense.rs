//! Dense gating (Jacobs et al. 1991; Jordan and Jacobs 1994; Eigen et al. 2013): every expert serves every token,
//! weighted by the whole softmax.
//!
//! `y_t = Σ_e p[t,e] · FFN_e(x_t)` with `p = softmax(z)`. Causal. The same in training and inference.
//! There is no choice, hence no capacity and no drop: a spec's capacity is ignored. What this costs is the point of
//! all the other rules: `E` expert evaluations per token instead of `k`.
//! Ours: records are ranked by descending probability, so that rank 0 means "first choice" as everywhere else.

use moe_trace::GateLogits;

use crate::gate::{softmax, top_k};
use crate::request::Request;

/// Every expert for every token, by descending gate probability: `tokens · experts` requests.
pub fn requests(gate_logits: &GateLogits) -> Vec<Request> {
    let mut requests = Vec::with_capacity(gate_logits.values().len());
    for (token, logits) in gate_logits.rows().enumerate() {
        let probs = softmax(logits);
        for (rank, expert) in top_k(logits, logits.len()).into_iter().enumerate() {
            requests.push(Request::new(token, rank, expert, probs[expert], probs[expert]));
        }
    }
    requests
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_the_softmax_in_descending_order() {
        // Token 5 of the running example: p = [0.1932, 0.0532, 0.2178, 0.5358].
        let gate_logits = GateLogits::new(4, vec![0.23, -1.06, 0.35, 1.25]).expect("one row");
        let found: Vec<(u32, String)> =
            requests(&gate_logits).iter().map(|r| (r.expert.0, format!("{:.4}", r.weight))).collect();
        let expected = [(3, "0.5358"), (2, "0.2178"), (0, "0.1932"), (1, "0.0532")];
        assert_eq!(found, expected.map(|(expert, weight)| (expert, weight.to_owned())));
    }
}
