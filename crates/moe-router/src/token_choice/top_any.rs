//! Top-any gating (DynMoE, Guo et al. 2024, arXiv:2405.14297): every expert has a threshold of its own and takes all
//! tokens that exceed it.
//!
//! Expert `e` is on where `sigmoid(s · cos(x, e)) > sigmoid(s · G_e)`, with a trained threshold `G_e`. The experts that
//! are on are averaged. Training may turn on none, with a straight-through gradient; inference then falls back to the
//! most similar expert. Causal.
//! Since sigmoid rises with its argument the comparison is of the arguments; that also tells apart what would saturate.
//!
//! Cosines of the [running example](crate::example)'s tokens with the gate's columns, and 0.7 for all thresholds. Token 1
//! passes two of them, and each weighs a half. Tokens 2 and 3 pass none (their best are 0.6505 and 0.6860), and fall back.
//!
//! ```
//! use moe_router::example::{self, experts, weights};
//! use moe_router::{matrix::Matrix, token_choice::{cosine, top_any}};
//!
//! let identity = Matrix::new(3, vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
//! let cosines = cosine::similarities(&example::hidden(), &identity, &example::gate_weights().transposed())?;
//! let requests = top_any::requests(&cosines, &[0.7; 4], 1.0);
//! let of_tokens: Vec<Vec<u32>> = requests.chunk_by(|a, b| a.token == b.token).map(experts).collect();
//! assert_eq!(of_tokens, [vec![0], vec![1, 0], vec![0], vec![2], vec![0], vec![3]]);
//! assert_eq!(weights(&requests[..3]), [1.0, 0.5, 0.5]);
//! assert_eq!(top_any::active(&cosines, &[0.7; 4], 1.0)[8..16], [false; 8]); // tokens 2 and 3, before the fallback
//! # Ok::<(), moe_router::InputError>(())
//! ```

use moe_trace::{GateLogits, RouterSpec};

use crate::gate::{sigmoid, top_k};
use crate::input::whole;
use crate::request::Request;
use crate::rule::{
    Argument, Assigns, Besides, Explained, Facts, Family, Form, GateReads, Requests, Rule, Run, Slots, own,
};
use crate::spec_error::SpecError;

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "top_any",
    title: "Top-any",
    one_line: "Every expert whose similarity exceeds its own threshold; all weigh the same.",
    family: Family::TokenChoice,
    paper: "Guo et al. 2024 (DynMoE), arXiv:2405.14297",
    equation: Some("code LINs-lab/DynMoE: EMoE/tutel/tutel/gates/gated_multi_gate.py"),
    needs: "learned thresholds where there are any; logits that are similarities",
    trained_with: "learned thresholds, none may be active",
    at_inference: "the most similar expert where none is active",
    run: Run::Assigns(Assigns {
        form: Form {
            arguments: &[Argument::number("threshold")],
            example: "top_any:0.5",
            read: |given| Some(RouterSpec::TopAny { threshold: given.number("threshold")? }),
            print: own!(RouterSpec::TopAny { threshold } => vec![("threshold", threshold.into())]),
        },
        check: own!(RouterSpec::TopAny { threshold }, _num_experts => {
            let (what, allowed) = ("The threshold of top-any", "a finite number, such as 0.5");
            if threshold.is_finite() { Ok(()) } else { Err(SpecError::Number { what, found: threshold, allowed }) }
        }),
        facts: |_| Facts {
            reads: GateReads::Sigmoid,
            gate_learns: false,
            requests: Requests::OneOrMore,
            slots: Slots::ForEveryone,
            besides: Besides::LearnedThresholds,
            ..Facts::OF_SWITCH
        },
        assign: own!(RouterSpec::TopAny { threshold }, group => {
            let thresholds = whole(group.input.thresholds, group.num_experts(), threshold);
            group.admit(&requests(group.gate_logits(), &thresholds, 1.0))
        }),
    }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "on where s · cos(x, v_e) > s · G_e, w = 1 divided by how many are on",
    text: "Each expert has a threshold G_e of its own and takes every token that resembles its embedding more than \
           that. The number of experts per token follows, and experts that nobody needs can be removed, or new ones \
           added, while training goes on.",
};

/// Is each expert on for each token, before any fallback? `[tokens, experts]`.
///
/// `similarities`: `[tokens, experts]`, cosines of token and expert. `thresholds`: `[experts]`. `scale > 0`.
pub fn active(similarities: &GateLogits, thresholds: &[f32], scale: f32) -> Vec<bool> {
    let rows = similarities.rows().flat_map(|row| row.iter().zip(thresholds));
    rows.map(|(&similarity, &threshold)| scale * similarity > scale * threshold).collect()
}

/// Inference: a request to every active expert, or to the most similar one where none is, all weighing the same.
pub fn requests(similarities: &GateLogits, thresholds: &[f32], scale: f32) -> Vec<Request> {
    let num_experts = similarities.num_experts();
    let active = active(similarities, thresholds, scale);
    let mut requests = Vec::new();
    for (token, (row, active)) in similarities.rows().zip(active.chunks(num_experts)).enumerate() {
        let by_similarity = top_k(row, num_experts);
        let mut experts: Vec<usize> = by_similarity.iter().copied().filter(|&expert| active[expert]).collect();
        if experts.is_empty() {
            experts.push(by_similarity[0]);
        }
        let weight = 1.0 / experts.len() as f64;
        for (rank, &expert) in experts.iter().enumerate() {
            let score = sigmoid(f64::from(scale) * f64::from(row[expert]));
            requests.push(Request::new(token, rank, expert, weight, score));
        }
    }
    requests
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(similarities: [f32; 3], expected: &[(u32, f32)]) {
        let similarities = GateLogits::new(3, similarities.to_vec()).expect("one row");
        let requests = requests(&similarities, &[0.7, 0.7, 0.2], 1.0);
        let found: Vec<(u32, f32)> = requests.iter().map(|r| (r.expert.0, r.weight)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn as_many_as_pass_or_else_the_nearest() {
        check([0.9, 0.8, 0.1], &[(0, 0.5), (1, 0.5)]);
        check([0.3, 0.1, 0.3], &[(2, 1.0)]);
        // A threshold must be exceeded, not met; nobody passes, and the most similar one is asked.
        check([0.7, 0.1, 0.2], &[(0, 1.0)]);
    }
}
