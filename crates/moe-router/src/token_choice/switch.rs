//! Switch routing (Fedus et al. 2021, arXiv:2101.03961, section 2.1): the one most probable expert, weighted by its
//! probability.
//!
//! `p = softmax(z); e = argmax p; w = p[e]`. The weight is not renormalised: divided by itself it would be the constant
//! 1 and the gate would get no gradient. Causal, unless the capacity's priority is not by position.
//! Training differs from inference by input jitter only (`x ⊙ U(1-ε, 1+ε)`, ε = 0.01, on the router's input); jitter
//! acts before the gate logits, so it is the caller's. The paper's capacity factor is 1.0 to 1.25 in training.
//! Deviation: the paper leaves the rounding of the capacity open; ours is in [`crate::capacity`].

use moe_trace::GateLogits;

use crate::request::Request;
use crate::token_choice::top_k;

/// One request per token.
pub fn requests(gate_logits: &GateLogits) -> Vec<Request> {
    top_k::requests(gate_logits, 1, moe_trace::Weighting::Raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_winner_keeps_its_probability_as_weight() {
        let gate_logits = GateLogits::new(4, vec![1.85, 0.65, -1.05, -0.60]).expect("one row");
        let requests = requests(&gate_logits);
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].expert.0, 0);
        assert!((requests[0].weight - 0.6932).abs() < 5e-5);
    }
}
