//! Top-p routing (Huang et al. 2024, "Harder Tasks Need More Experts", arXiv:2403.07652): as many experts as it takes.
//!
//! Experts by descending probability until their sum exceeds `p`; the one that crosses is included, so at least one is
//! asked and at most all. Weights are the raw probabilities. Causal, the same in training and inference.
//! The paper's threshold is 0.4. It needs the entropy of the gate as a loss ([`crate::metrics::entropy_mean`], times
//! 1e-4): otherwise training flattens the gate to buy more experts. No capacity in the paper.
//!
//! The [running example](crate::example): at 0.4 the best expert is enough for everyone. At 0.7 only token 4 is sure enough
//! for one (0.7457); token 0 needs its second, since 0.6932 falls short.
//!
//! ```
//! use moe_router::example::{self, assert_close, experts, weights};
//! use moe_router::token_choice::top_p;
//!
//! let ask = |threshold| top_p::requests(&example::gate_logits(), threshold);
//! assert_eq!(experts(&ask(0.4)), [0, 0, 0, 2, 0, 3]);
//! let of_tokens: Vec<Vec<u32>> = ask(0.7).chunk_by(|a, b| a.token == b.token).map(experts).collect();
//! assert_eq!(of_tokens, [vec![0, 1], vec![0, 1], vec![0, 3], vec![2, 1], vec![0], vec![3, 2]]);
//! assert_close(&weights(&ask(0.7)[..2]), &[0.6932, 0.2088]); // as they are
//! ```

use moe_trace::{GateLogits, RouterSpec};

use crate::decimal::as_written;
use crate::gate::{softmax, top_k};
use crate::limits;
use crate::request::Request;
use crate::rule::{Argument, Assigns, Explained, Facts, Family, Form, Requests, Rule, Run, Slots, own};

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "top_p",
    title: "Top-p",
    one_line: "As many experts as it takes for their probabilities to exceed a threshold.",
    family: Family::TokenChoice,
    paper: "Huang et al. 2024, arXiv:2403.07652",
    equation: Some("code ZhenweiAn/Dynamic_MoE: modeling/modeling_moe.py"),
    needs: "nothing",
    trained_with: "threshold 0.4, entropy loss 1e-4",
    at_inference: "the same",
    run: Run::Assigns(Assigns {
        form: Form {
            arguments: &[Argument::number("threshold")],
            example: "top_p:0.4",
            read: |given| Some(RouterSpec::TopP { threshold: given.number("threshold")? }),
            print: own!(RouterSpec::TopP { threshold } => vec![("threshold", threshold.into())]),
        },
        check: own!(RouterSpec::TopP { threshold }, _num_experts => {
            limits::fraction("The threshold of top-p", threshold)
        }),
        facts: |_| Facts { requests: Requests::OneOrMore, slots: Slots::ForEveryone, ..Facts::OF_SWITCH },
        assign: own!(RouterSpec::TopP { threshold }, group => group.admit(&requests(group.gate_logits(), threshold))),
    }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "asked: fewest best experts with Σ p_e > P, w_e = p_e",
    text: "How many experts a token asks depends on how sure the gate is: one where it is certain, many where it \
           hesitates. Harder tokens get more computation. Without a loss on the gate's entropy, training would \
           flatten it to buy more experts.",
};

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

    #[test]
    fn the_threshold_is_the_number_that_was_written() {
        // Seven tenths do not exceed 0.7, though they exceed the f32 next to it.
        let gate_logits = GateLogits::new(10, vec![0.0; 10]).expect("one row");
        let sum: f64 = [0.1; 7].iter().sum();
        assert!(sum > f64::from(0.7_f32) && sum <= 0.7);
        assert_eq!(requests(&gate_logits, 0.7).len(), 8);
    }

    #[test]
    fn one_expert_at_least_and_all_at_most() {
        let ask = |threshold| requests(&crate::example::gate_logits(), threshold).len();
        assert_eq!((ask(0.0), ask(1.0)), (6, 24));
    }
}
