//! ReLU routing (ReMoE, Wang et al. 2025, arXiv:2412.14711): an expert is on where its logit is positive.
//!
//! Gate `R = relu(z)`, weights `R` as they are, no selection at all: fully differentiable, and the number of experts
//! per token is whatever it is, 0 included. An L1 penalty, [`crate::losses::relu_l1`], and its coefficient, adapted
//! after every step, steer the average to `k`. Causal, dropless, the same in training and inference.
//!
//! The [running example](crate::example): whatever is positive is on, and weighs what it is. 10 of 24 gates are off where
//! 2 of 4 experts per token ask for half, so the penalty grows.
//!
//! ```
//! use moe_router::example::{self, assert_close, experts, weights};
//! use moe_router::token_choice::relu;
//!
//! let requests = relu::requests(&example::gate_logits());
//! let of_tokens: Vec<Vec<u32>> = requests.chunk_by(|a, b| a.token == b.token).map(experts).collect();
//! assert_eq!(of_tokens, [vec![0, 1], vec![0, 1], vec![0, 3, 2], vec![2, 1], vec![0, 1], vec![3, 2, 0]]);
//! assert_close(&weights(&requests[4..7]), &[1.44, 0.80, 0.02]); // token 2
//! let sparsity = relu::sparsity(&example::gate_logits());
//! assert_close(&[sparsity], &[0.4167]);
//! assert_eq!(relu::adapted_coefficient(1.0, sparsity, 2, 4), 1.2);
//! ```

use moe_trace::{GateLogits, RouterSpec};

use crate::gate::top_k;
use crate::request::Request;
use crate::rule::{Assigns, Explained, Facts, Family, Form, GateReads, Requests, Rule, Run, Slots};

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "relu",
    title: "ReLU routing",
    one_line: "Every expert whose logit is positive, weighted by it.",
    family: Family::TokenChoice,
    paper: "Wang et al. 2025 (ReMoE), arXiv:2412.14711",
    equation: Some("eq. 7-9"),
    needs: "nothing",
    trained_with: "L1 penalty adapted to an average of k experts",
    at_inference: "the same",
    run: Run::Assigns(Assigns {
        form: Form { arguments: &[], example: "relu", read: |_| Some(RouterSpec::Relu), print: |_| Vec::new() },
        check: |_, _| Ok(()),
        facts: |_| Facts {
            reads: GateReads::Logits,
            requests: Requests::AnyNumber,
            slots: Slots::ForEveryone,
            ..Facts::OF_SWITCH
        },
        assign: |_, group| group.admit(&requests(group.gate_logits())),
    }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "w_e = max(z_e, 0)",
    text: "An expert works where its logit is positive, with that logit as its weight: no ranking, no jump, and a \
           gradient everywhere. A penalty on the sum of the weights, whose coefficient adapts after each step, \
           steers how many experts are on in the mean.",
};

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
    fn a_logit_of_0_is_off_and_a_sparse_gate_is_let_go() {
        assert_eq!(requests(&GateLogits::new(2, vec![0.0, -1.0]).expect("one row")), []);
        assert_eq!(adapted_coefficient(1.2, 0.5, 2, 4), 1.0);
    }
}
