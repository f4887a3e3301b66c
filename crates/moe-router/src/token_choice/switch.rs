//! Switch routing (Fedus et al. 2021, arXiv:2101.03961, section 2.1): the one most probable expert, weighted by its
//! probability.
//!
//! `p = softmax(z); e = argmax p; w = p[e]`. The weight is not renormalised: divided by itself it would be the constant
//! 1 and the gate would get no gradient. Causal, unless the capacity's priority is not by position.
//! Training differs from inference by input jitter only ([`jittered`], on the gate's input; the experts see the clean
//! states, though some code bases multiply in place). The paper's capacity factor is 1.0 to 1.25 in training.
//! Deviation: the paper leaves the rounding of the capacity open; ours is in [`crate::capacity`].
//!
//! In the [running example](crate::example) four of six tokens go to expert 0 and none to expert 1, each with the
//! probability that won. Jitter moves an input by a percent either way.
//!
//! ```
//! use moe_router::example::{self, assert_close, experts, weights};
//! use moe_router::token_choice::switch;
//!
//! let requests = switch::requests(&example::gate_logits());
//! assert_eq!(experts(&requests), [0, 0, 0, 2, 0, 3]);
//! assert_close(&weights(&requests), &[0.6932, 0.5147, 0.5042, 0.4529, 0.7457, 0.5358]);
//! assert_eq!(switch::jittered(&[100.0, 100.0, -100.0], &[0.0, 0.5, 1.0], 0.01), [99.0, 100.0, -101.0]);
//! ```

use moe_trace::{GateLogits, RouterSpec};

use crate::request::Request;
use crate::rule::{Assigns, Explained, Facts, Family, Form, Rule, Run};
use crate::token_choice::top_k;

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "switch",
    title: "Switch",
    one_line: "The one most probable expert, weighted by its probability.",
    family: Family::TokenChoice,
    paper: "Fedus et al. 2021, arXiv:2101.03961",
    equation: Some("section 2.1"),
    needs: "nothing",
    trained_with: "capacity factor 1 to 1.25, jitter 0.01 on the gate's input",
    at_inference: "no jitter, more capacity",
    run: Run::Assigns(Assigns {
        form: Form { arguments: &[], example: "switch", read: |_| Some(RouterSpec::Switch), print: |_| Vec::new() },
        check: |_, _| Ok(()),
        facts: |_| Facts::OF_SWITCH,
        assign: |_, group| group.admit(&requests(group.gate_logits())),
    }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "y = p_{e*} · FFN_{e*}(x), e* = argmax_e z_e",
    text: "One expert per token is the least that can be asked. The probability stays as the weight, for divided by \
           itself it would always be 1 and the gate would learn nothing. With one choice there is no second expert \
           to fall back on: who finds the expert full keeps the residual alone.",
};

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
