//! Switch routing (Fedus et al. 2021, arXiv:2101.03961, section 2.1): the one most probable expert, weighted by its
//! probability.
//!
//! `p = softmax(z); e = argmax p; w = p[e]`. The weight is not renormalised: divided by itself it would be the constant
//! 1 and the gate would get no gradient. Causal, unless the capacity's priority is not by position.
//! Training differs from inference by input jitter only ([`jittered`], on the gate's input; the experts see the clean
//! states, though some code bases multiply in place). The paper's capacity factor is 1.0 to 1.25 in training.
//! Deviation: the paper leaves the rounding of the capacity open; ours is in [`crate::capacity`].

use moe_trace::GateLogits;

use crate::request::Request;
use crate::token_choice::top_k;

/// One request per token.
pub fn requests(gate_logits: &GateLogits) -> Vec<Request> {
    top_k::requests(gate_logits, 1, moe_trace::Weighting::Raw)
}

/// Hidden states for the gate in training, `x ⊙ U(1-ε, 1+ε)`: one uniform draw in [0, 1) per element.
///
/// `hidden` and `uniforms`: `[tokens, d_model]`. `epsilon` is 0.01 in the paper.
pub fn jittered(hidden: &[f32], uniforms: &[f32], epsilon: f32) -> Vec<f32> {
    let epsilon = f64::from(epsilon);
    let factors = uniforms.iter().map(|&u| 1.0 - epsilon + 2.0 * epsilon * f64::from(u));
    hidden.iter().zip(factors).map(|(&x, factor)| (f64::from(x) * factor) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_is_a_percent_either_way() {
        assert_eq!(jittered(&[100.0, 100.0, -100.0], &[0.0, 0.5, 1.0], 0.01), [99.0, 100.0, -101.0]);
    }

    #[test]
    fn the_winner_keeps_its_probability_as_weight() {
        let gate_logits = GateLogits::new(4, vec![1.85, 0.65, -1.05, -0.60]).expect("one row");
        let requests = requests(&gate_logits);
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].expert.0, 0);
        assert!((requests[0].weight - 0.6932).abs() < 5e-5);
    }
}
