//! Expert choice (Zhou et al. 2022, arXiv:2202.09368, section 3): every expert takes its best tokens.
//!
//! `S = softmax over experts of z`; expert `e` takes the `n = round(c T / E)` tokens with the largest `S[·,e]`, and the
//! output is `Σ S[t,e] · FFN_e(x_t)` without renormalisation. All experts are exactly full, nothing is dropped and no
//! balance loss is needed, but a token may be picked by all experts or by none. The same in training and inference.
//! A token that nobody picked ("unchosen") leaves no record in the routing: there is no expert to name in it. How many
//! there are is [`metrics::tokens_without_requests`](crate::metrics::tokens_without_requests).
//! Not causal: whether a token is picked depends on all others.
//! Left out: the variant with at most `b` experts per token, and mesh-TensorFlow's softmax over tokens.
//!
//! The [running example](crate::example) with two experts per token on average: every expert takes round(2 · 6 / 4) = 3
//! tokens. All are full and nobody is turned away, but token 3 gets three experts and token 4, the most confident, one.
//!
//! ```
//! use moe_router::example::{self, assert_close};
//! use moe_router::group_choice::expert_choice;
//!
//! let routing = expert_choice::route(&example::gate_logits(), expert_choice::tokens_per_expert(2.0, 6, 4));
//! assert_eq!(moe_router::metrics::load(&routing), [3, 3, 3, 3]);
//! let of_tokens: Vec<Vec<u32>> = (0..6).map(|t| routing.of_token(t).iter().map(|a| a.expert.0).collect()).collect();
//! assert_eq!(of_tokens, [vec![0, 1], vec![0, 1], vec![3, 2], vec![2, 1, 3], vec![0], vec![3, 2]]);
//! let of_3: Vec<f32> = routing.of_token(3).iter().map(|assignment| assignment.weight).collect();
//! assert_close(&of_3, &[0.4529, 0.3635, 0.1324]); // probabilities, as they are
//! ```

use moe_trace::{Assignment, ExpertIdx, Fate, GateLogits, RouterSpec, Routing};

use crate::decimal::share;
use crate::gate::{gate_probs, top_k};
use crate::limits;
use crate::rule::{Argument, Assigns, Explained, Facts, Family, Form, Requests, Rule, Run, Slots, own};

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "expert_choice",
    title: "Expert choice",
    one_line: "Every expert takes its best tokens; a token may get many experts or none.",
    family: Family::ExpertChoice,
    paper: "Zhou et al. 2022, arXiv:2202.09368",
    equation: Some("section 3"),
    needs: "nothing",
    trained_with: "2 experts per token on average",
    at_inference: "the same rule sees only the prefix",
    run: Run::Assigns(Assigns {
        form: Form {
            arguments: &[Argument::number("average")],
            example: "expert_choice:2",
            read: |given| Some(RouterSpec::ExpertChoice { average: given.number("average")? }),
            print: own!(RouterSpec::ExpertChoice { average } => vec![("average", average.into())]),
        },
        check: own!(RouterSpec::ExpertChoice { average }, _num_experts => {
            limits::positive("The average number of experts", average, "a finite number above 0, such as 2")
        }),
        facts: own!(RouterSpec::ExpertChoice { average } => Facts {
            requests: Requests::AnyNumber,
            slots: Slots::Filled { average },
            looks_ahead: true,
            ..Facts::OF_SWITCH
        }),
        assign: |_, group| route(group.gate_logits(), group.slots() as usize),
    }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "expert e takes the {c · T}/{E} tokens with the largest p_{t,e}",
    text: "Experts choose tokens instead of tokens experts: all are exactly full, nobody is turned away, and no \
           balance loss is needed. A token may get many experts or none. Whether one is taken depends on all \
           others, later ones too, which does not work while text is written.",
};

/// Tokens an expert takes: `round(average · T / E)`, half to even, at least 1 and at most all.
///
/// `average`: experts per token on average, 2 in the paper.
pub fn tokens_per_expert(average: f32, num_tokens: usize, num_experts: usize) -> usize {
    (share(average, num_tokens, num_experts).round_ties_even() as usize).clamp(1, num_tokens.max(1))
}

/// Every expert takes its `per_expert` best tokens; on a tie the earlier one. The slot is the expert's order of
/// preference. A token's records are ranked by its probabilities; a token that nobody picked has none.
pub fn route(gate_logits: &GateLogits, per_expert: usize) -> Routing {
    let (num_tokens, num_experts) = (gate_logits.num_tokens(), gate_logits.num_experts());
    let probs = gate_probs(gate_logits);
    let mut slots = vec![None; probs.len()];
    for expert in 0..num_experts {
        let of_expert: Vec<f32> = (0..num_tokens).map(|token| probs[token * num_experts + expert]).collect();
        for (slot, token) in top_k(&of_expert, per_expert).into_iter().enumerate() {
            slots[token * num_experts + expert] = Some(slot as u32);
        }
    }
    let mut assignments = Vec::with_capacity(per_expert.min(num_tokens) * num_experts);
    for (token, logits) in gate_logits.rows().enumerate() {
        let by_preference = top_k(logits, num_experts);
        let picked =
            by_preference.into_iter().filter_map(|expert| Some((expert, slots[token * num_experts + expert]?)));
        assignments.extend(picked.enumerate().map(|(rank, (expert, slot))| {
            let weight = probs[token * num_experts + expert];
            let (token, rank, expert) = (token as u32, rank as u32, ExpertIdx(expert as u32));
            Assignment { token, rank, expert, weight, weight_raw: weight, fate: Fate::Kept { slot } }
        }));
    }
    let capacity = Some(per_expert as u32);
    Routing { num_tokens: num_tokens as u32, num_experts: num_experts as u32, capacity, assignments }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_example() {
        let routing = route(&crate::example::gate_logits(), tokens_per_expert(2.0, 6, 4));
        let picked_by = |expert: u32| {
            let of_expert = routing.assignments.iter().filter(|a| a.expert.0 == expert);
            let mut tokens: Vec<(u32, u32)> = of_expert.map(|a| (a.fate.slot().unwrap_or(99), a.token)).collect();
            tokens.sort_unstable();
            tokens.into_iter().map(|(_, token)| token).collect::<Vec<u32>>()
        };
        assert_eq!(picked_by(0), [4, 0, 1]);
        assert_eq!(picked_by(1), [1, 3, 0]);
        assert_eq!(picked_by(2), [3, 5, 2]);
        assert_eq!(picked_by(3), [5, 2, 3]);
        // Token 4 is the most confident and still gets one expert only.
        let experts_of: Vec<usize> = (0..6).map(|token| routing.of_token(token).len()).collect();
        assert_eq!(experts_of, [2, 2, 2, 3, 1, 2]);
    }

    #[test]
    fn never_none_and_never_more_than_all() {
        let check = |average, num_tokens, expected| assert_eq!(tokens_per_expert(average, num_tokens, 4), expected);
        check(2.0, 6, 3);
        check(2.0, 5, 2);
        check(0.1, 4, 1);
        check(9.0, 4, 4);
        // A half goes to the even number, and the average means what it says: 2.2 · 30 / 4 = 16.5, 1.3 · 30 / 4 = 9.75.
        check(2.2, 30, 16);
        check(1.3, 30, 10);
        check(1.4, 10, 4);
        assert_eq!(tokens_per_expert(1.3, 30, 2), 20);
        assert_eq!(tokens_per_expert(0.7, 5, 1), 4);
    }
}
