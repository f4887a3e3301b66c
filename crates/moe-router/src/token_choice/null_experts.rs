//! Null experts (AdaMoE, Zeng et al. 2024, arXiv:2406.13233): experts that compute nothing let a token ask for less.
//!
//! `N` columns without an expert behind them are appended to the gate; `k` is raised, and a token that picks nulls saves
//! work. Weights are renormalised over the true experts it picked; a token of nulls only gets 0. Causal, dropless, the
//! same in training and inference. Not copied: in the paper's balance loss all nulls share their mean load (the released
//! Mixtral code means to do so and slices the wrong axis); the losses here take every column for itself.
//!
//! The [running example](crate::example) with two nulls of logit 0.3, and k = 3: every token finds a null among its three
//! best, and token 4 both, so that it asks one true expert only and gives it all the weight.
//!
//! ```
//! use moe_router::example::{self, assert_close, experts, weights};
//! use moe_router::token_choice::null_experts;
//! use moe_trace::GateLogits;
//!
//! let rows = example::gate_logits().rows().flat_map(|row| [row, &[0.3, 0.3]].concat()).collect();
//! let requests = null_experts::requests(&GateLogits::new(6, rows).expect("six rows of six"), 4, 3);
//! let true_experts = requests.chunks(3).map(|of_token| of_token.iter().filter(|r| r.withdrawn.is_none()).count());
//! assert_eq!(true_experts.collect::<Vec<_>>(), [2, 2, 2, 2, 1, 2]);
//! assert_eq!(experts(&requests[..3]), [0, 1, 4]); // token 0: two true experts, then a null
//! assert_close(&weights(&requests[..3]), &[0.7685, 0.2315, 0.0]);
//! assert_eq!(experts(&requests[12..15]), [0, 4, 5]); // token 4
//! assert_close(&weights(&requests[12..15]), &[1.0, 0.0, 0.0]);
//! ```

use moe_trace::{Fate, GateLogits, RouterSpec};

use crate::gate::{softmax, top_k};
use crate::limits;
use crate::request::Request;
use crate::rule::{Argument, Assigns, Explained, Facts, Family, Form, Requests, Rule, Run, Slots, own};
use crate::spec_error::SpecError;

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "null_experts",
    title: "Null experts",
    one_line: "Top-k where some columns of the gate are experts that compute nothing.",
    family: Family::TokenChoice,
    paper: "Zeng et al. 2024 (AdaMoE), arXiv:2406.13233",
    equation: Some("code CengZihao/AdaMoE: exp_2, adaptive_moe_utils.py"),
    needs: "nothing",
    trained_with: "nulls appended to the gate, k raised",
    at_inference: "the same",
    run: Run::Assigns(Assigns {
        form: Form {
            arguments: &[Argument::K, Argument::count("nulls")],
            example: "null_experts:k=2,nulls=1",
            read: |given| Some(RouterSpec::NullExperts { k: given.count("k")?, nulls: given.count("nulls")? }),
            print: own!(RouterSpec::NullExperts { k, nulls } => vec![("k", k.into()), ("nulls", nulls.into())]),
        },
        check: own!(RouterSpec::NullExperts { k, nulls }, num_experts => {
            limits::choices(k, num_experts)?;
            let nulls = nulls as usize;
            if nulls < num_experts { Ok(()) } else { Err(SpecError::Nulls { nulls, num_experts }) }
        }),
        facts: own!(RouterSpec::NullExperts { k, .. } => Facts {
            requests: Requests::Exactly(k),
            slots: Slots::ForEveryone,
            ..Facts::OF_SWITCH
        }),
        assign: own!(RouterSpec::NullExperts { k, nulls }, group => {
            group.admit(&requests(group.gate_logits(), group.num_experts() - nulls as usize, k as usize))
        }),
    }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "TopK over E + N columns, w_e = {p_e}/{Σ_{true i} p_i}",
    text: "Some columns of the gate have no expert behind them. A token that picks one of these saves work, so the \
           number of true experts varies per token although k is fixed. The weights are shared among the true \
           experts alone.",
};

/// `k` requests per token. `gate_logits`: `[tokens, num_true + nulls]`, the nulls last; requests to them are withdrawn
/// as [`Fate::NullExpert`] and weigh 0.
pub fn requests(gate_logits: &GateLogits, num_true: usize, k: usize) -> Vec<Request> {
    let mut requests = Vec::with_capacity(gate_logits.num_tokens() * k);
    for (token, logits) in gate_logits.rows().enumerate() {
        let probs = softmax(logits);
        let experts = top_k(logits, k);
        // Softmax over the chosen true experts alone is the same as dividing by their sum, which might underflow to 0.
        let of_true: Vec<f32> = experts.iter().filter(|&&expert| expert < num_true).map(|&e| logits[e]).collect();
        let mut weights = softmax(&of_true).into_iter();
        for (rank, &expert) in experts.iter().enumerate() {
            let is_null = expert >= num_true;
            let weight = if is_null { 0.0 } else { weights.next().unwrap_or(0.0) };
            let withdrawn = is_null.then_some(Fate::NullExpert);
            requests.push(Request { withdrawn, ..Request::new(token, rank, expert, weight, probs[expert]) });
        }
    }
    requests
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(logits: [f32; 4], expected: [(u32, f32); 2]) {
        let gate_logits = GateLogits::new(4, logits.to_vec()).expect("one row");
        let found: Vec<(u32, f32)> = requests(&gate_logits, 2, 2).iter().map(|r| (r.expert.0, r.weight)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn two_true_experts_and_two_nulls() {
        check([2.0, 0.0, 1.0, -1.0], [(0, 1.0), (2, 0.0)]);
        check([1.0, 1.0, 0.0, 0.0], [(0, 0.5), (1, 0.5)]);
        check([0.0, 0.0, 3.0, 2.0], [(2, 0.0), (3, 0.0)]);
        // A true expert whose probability is 0 in f64 still takes all of what is left.
        check([-2000.0, -3000.0, 3000.0, -4000.0], [(2, 0.0), (0, 1.0)]);
    }
}
