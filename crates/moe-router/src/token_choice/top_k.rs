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
//!
//! Top-2 of the [running example](crate::example): all weightings ask the same experts. Token 0 gives them 0.6932 and
//! 0.2088; norm divides by their sum, 0.9020, and a 2-norm by 0.7240, the square root of the sum of their squares.
//!
//! ```
//! use moe_router::example::{self, assert_close, experts, weights};
//! use moe_router::token_choice::top_k;
//! use moe_trace::Weighting;
//!
//! let ask = |weighting| top_k::requests(&example::gate_logits(), 2, weighting);
//! assert_eq!(experts(&ask(Weighting::Raw)), [0, 1, 0, 1, 0, 3, 2, 1, 0, 1, 3, 2]);
//! assert_close(&weights(&ask(Weighting::Raw)[..2]), &[0.6932, 0.2088]);
//! assert_close(&weights(&ask(Weighting::Norm)[..2]), &[0.7685, 0.2315]);
//! assert_close(&weights(&ask(Weighting::SoftmaxAfter)[..2]), &[0.7685, 0.2315]); // the same number
//! assert_close(&weights(&ask(Weighting::PNorm { p: 2.0 })[..2]), &[0.9575, 0.2884]);
//! ```

use moe_trace::{GateLogits, RouterSpec, Weighting};

use crate::gate::{softmax, top_k};
use crate::limits;
use crate::request::Request;
use crate::rule::{Argument, Assigns, Explained, Facts, Family, Form, Requests, Rule, Run, own};

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "top_k",
    title: "Top-k",
    one_line: "Each token goes to its k most probable experts, weighted in one of four ways.",
    family: Family::TokenChoice,
    paper: "Jiang et al. 2024 (Mixtral), arXiv:2401.04088; Muennighoff et al. 2024 (OLMoE), arXiv:2409.02060",
    equation: Some("section 2.1 (Mixtral)"),
    needs: "nothing",
    trained_with: "2 of 8 normalised (Mixtral), 8 of 64 raw (OLMoE)",
    at_inference: "the same",
    run: Run::Assigns(Assigns {
        form: Form {
            arguments: &[
                Argument::K,
                Argument::word("weighting", &["norm", "raw", "softmax_after"]).exclusive(),
                Argument::number("p").optional().keyed().exclusive(),
            ],
            example: "top_k:2",
            read: |given| {
                let weighting = match (given.word("weighting"), given.number("p")) {
                    (_, Some(p)) => Weighting::PNorm { p },
                    (Some("raw"), None) => Weighting::Raw,
                    (Some("softmax_after"), None) => Weighting::SoftmaxAfter,
                    _ => Weighting::Norm,
                };
                Some(RouterSpec::TopK { k: given.count("k")?, weighting })
            },
            print: own!(RouterSpec::TopK { k, weighting } => {
                let weighting = match weighting {
                    Weighting::Norm => None,
                    Weighting::Raw => Some(("weighting", "raw".into())),
                    Weighting::SoftmaxAfter => Some(("weighting", "softmax_after".into())),
                    Weighting::PNorm { p } => Some(("p", p.into())),
                };
                [("k", k.into())].into_iter().chain(weighting).collect()
            }),
        },
        check: own!(RouterSpec::TopK { k, weighting }, num_experts => {
            limits::choices(k, num_experts)?;
            match weighting {
                Weighting::PNorm { p } => {
                    limits::positive("The order p of the norm", p, "a finite number above 0, such as 2")
                }
                Weighting::Raw | Weighting::Norm | Weighting::SoftmaxAfter => Ok(()),
            }
        }),
        facts: own!(RouterSpec::TopK { k, .. } => Facts { requests: Requests::Exactly(k), ..Facts::OF_SWITCH }),
        assign: own!(RouterSpec::TopK { k, weighting }, group => {
            group.admit(&requests(group.gate_logits(), k as usize, weighting))
        }),
    }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "y = Σ_{e ∈ TopK(z)} w_e · FFN_e(x), w_e = {p_e}/{Σ_{i ∈ TopK(z)} p_i}",
    text: "The k best experts share the token. Whether weights are probabilities as they are, divided by their sum, \
           or a softmax over the chosen logits differs from model to model; the last two are the same number. More \
           choices cost more work and let a token survive the loss of one of them.",
};

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

    #[test]
    fn a_huge_order_is_the_maximum_norm() {
        // The winner gets 1, the other its share of the winner: 0.2659 / 0.5042 for token 2.
        let requests = requests(&crate::example::gate_logits(), 2, Weighting::PNorm { p: 5000.0 });
        crate::example::assert_close(&crate::example::weights(&requests[4..6]), &[1.0, 0.5273]);
        assert!((requests[5].weight_raw - 0.2659).abs() < 5e-5);
    }
}
