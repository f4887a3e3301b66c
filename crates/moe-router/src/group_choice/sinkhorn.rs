//! Sinkhorn routing (S-BASE, Clark et al. 2022, arXiv:2202.01169, appendix B): experts are chosen from a balanced
//! transport plan instead of the gate's probabilities.
//!
//! `plan = diag(d0) · exp(z) · diag(d1)` with rows summing to `1/T` and columns to `1/E`, found by scaling rows and columns
//! in turn (Megatron-Core's loop: 1e-8 in both denominators, until the columns' factors move less than 1e-4 on average).
//! Training: top-k of the plan; weights `sigmoid(z)` for k = 1, else `softmax(z)`; the choice has no gradient. Not causal.
//! Inference: top-k of the logits, no plan, causal: the model is used otherwise than it was trained.
//! Deviations: each row's maximum is subtracted first (`d0` absorbs it), and the loop ends after 1000 rounds: with logits
//! around -15 the 1e-8 would dominate and it would never meet its tolerance. The paper's combine weight is uncertain.
//!
//! The [running example](crate::example): eight rounds of scaling give a plan whose columns are 1/4 each. In training it
//! moves tokens 1 and 2 off expert 0, which at inference they ask as before.
//!
//! ```
//! use moe_router::example::{self, assert_close, experts};
//! use moe_router::group_choice::sinkhorn;
//!
//! let gate_logits = example::gate_logits();
//! let plan = sinkhorn::plan(&gate_logits);
//! assert_eq!(plan.rounds, 8);
//! assert_close(&plan.shares[4..8], &[0.0449, 0.0800, 0.0250, 0.0169]); // token 1: expert 1 has the largest share now
//! assert_close(&[plan.shares.iter().step_by(4).sum::<f64>()], &[0.25]); // expert 0
//! assert_eq!(experts(&sinkhorn::requests(&gate_logits, 1)), [0, 1, 3, 2, 0, 3]);
//! assert_eq!(experts(&sinkhorn::greedy_requests(&gate_logits, 1)), [0, 0, 0, 2, 0, 3]);
//! ```

use moe_trace::{GateLogits, RouterSpec, SinkhornChoice};

use crate::gate::{sigmoid, softmax, top_k};
use crate::limits;
use crate::request::Request;
use crate::rule::{Argument, Assigns, Explained, Facts, Family, Form, GateReads, Requests, Rule, Run, own};

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "sinkhorn",
    title: "Sinkhorn (S-BASE)",
    one_line: "Top-k of a balanced transport plan between tokens and experts.",
    family: Family::TokenChoice,
    paper: "Clark et al. 2022, arXiv:2202.01169",
    equation: Some("appendix B"),
    needs: "nothing",
    trained_with: "k = 1",
    at_inference: "top-k of the logits, causal: sinkhorn:1,greedy",
    run: Run::Assigns(Assigns {
        form: Form {
            arguments: &[Argument::K.optional(), Argument::word("choice", &["balanced", "greedy"])],
            example: "sinkhorn:1",
            read: |given| {
                let greedy = given.word("choice") == Some("greedy");
                let choice = if greedy { SinkhornChoice::Greedy } else { SinkhornChoice::Balanced };
                Some(RouterSpec::Sinkhorn { k: given.count("k").unwrap_or(1), choice })
            },
            print: own!(RouterSpec::Sinkhorn { k, choice } => {
                let greedy = (choice == SinkhornChoice::Greedy).then_some(("choice", "greedy".into()));
                [("k", k.into())].into_iter().chain(greedy).collect()
            }),
        },
        check: own!(RouterSpec::Sinkhorn { k, .. }, num_experts => limits::choices(k, num_experts)),
        facts: own!(RouterSpec::Sinkhorn { k, choice } => Facts {
            reads: GateReads::OtherSoftmax,
            requests: Requests::Exactly(k),
            looks_ahead: choice == SinkhornChoice::Balanced,
            ..Facts::OF_SWITCH
        }),
        assign: own!(RouterSpec::Sinkhorn { k, choice }, group => {
            group.admit(&match choice {
                SinkhornChoice::Balanced => requests(group.gate_logits(), k as usize),
                SinkhornChoice::Greedy => greedy_requests(group.gate_logits(), k as usize),
            })
        }),
    }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "plan = d_0 · exp(z) · d_1, rows to 1/T, columns to 1/E; top-k of the plan",
    text: "The gate's preferences are rescaled in turns until every expert gets an equal share, and the best of \
           that plan is chosen. Balance comes without a loss, from a choice that has no gradient. At inference the \
           plan is left out, so the model is used otherwise than it was trained.",
};

/// Rounds after which the plan is taken as it is.
const MOST_ROUNDS: usize = 1000;

/// A transport plan between tokens and experts.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// `[tokens, experts]`, row-major; columns sum to `1/E`, rows to about `1/T`.
    pub shares: Vec<f64>,
    /// `[experts]`, in logits: what the plan takes off every token's logit for this expert, 0 for the cheapest one.
    pub prices: Vec<f64>,
    /// Rounds until it was found.
    pub rounds: usize,
}

/// The balanced plan of the gate logits.
pub fn plan(gate_logits: &GateLogits) -> Plan {
    let (num_tokens, num_experts) = (gate_logits.num_tokens(), gate_logits.num_experts());
    let affinities: Vec<f64> = gate_logits
        .rows()
        .flat_map(|logits| {
            let largest = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
            logits.iter().map(move |&z| (f64::from(z) - largest).exp())
        })
        .collect();
    let mut of_tokens = vec![1.0; num_tokens];
    let mut of_experts = vec![1.0; num_experts];
    let (mut rounds, mut moved) = (0, f64::INFINITY);
    while moved > 1e-4 && rounds < MOST_ROUNDS {
        for (factor, row) in of_tokens.iter_mut().zip(affinities.chunks(num_experts)) {
            let sum: f64 = row.iter().zip(&of_experts).map(|(affinity, factor)| affinity * factor).sum();
            *factor = 1.0 / num_tokens as f64 / (sum + 1e-8);
        }
        let mut sums = vec![0.0; num_experts];
        for (factor, row) in of_tokens.iter().zip(affinities.chunks(num_experts)) {
            for (sum, affinity) in sums.iter_mut().zip(row) {
                *sum += factor * affinity;
            }
        }
        let next: Vec<f64> = sums.into_iter().map(|sum| 1.0 / num_experts as f64 / (sum + 1e-8)).collect();
        moved = next.iter().zip(&of_experts).map(|(next, last)| (next - last).abs()).sum::<f64>() / num_experts as f64;
        of_experts = next;
        rounds += 1;
    }
    let rows = affinities.chunks(num_experts).zip(&of_tokens);
    let shares = rows
        .flat_map(|(row, of_token)| row.iter().zip(&of_experts).map(move |(a, of_expert)| a * of_token * of_expert));
    let shares = shares.collect();
    // A factor on exponentials is a sum on logits.
    let largest = of_experts.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let prices = of_experts.iter().map(|factor| (largest / factor).ln()).collect();
    Plan { shares, prices, rounds }
}

/// Inference: `k` requests per token, by descending logit, weighted as in training. Causal.
pub fn greedy_requests(gate_logits: &GateLogits, k: usize) -> Vec<Request> {
    let mut requests = Vec::with_capacity(gate_logits.num_tokens() * k);
    for (token, logits) in gate_logits.rows().enumerate() {
        let probs = softmax(logits);
        for (rank, expert) in top_k(logits, k).into_iter().enumerate() {
            let weight = if k == 1 { sigmoid(f64::from(logits[expert])) } else { probs[expert] };
            requests.push(Request::new(token, rank, expert, weight, probs[expert]));
        }
    }
    requests
}

/// Training: `k` requests per token, by descending share in the plan.
pub fn requests(gate_logits: &GateLogits, k: usize) -> Vec<Request> {
    let plan = plan(gate_logits);
    let mut requests = Vec::with_capacity(gate_logits.num_tokens() * k);
    let rows = gate_logits.rows().zip(plan.shares.chunks(gate_logits.num_experts()));
    for (token, (logits, shares)) in rows.enumerate() {
        let probs = softmax(logits);
        for (rank, expert) in top_k(shares, k).into_iter().enumerate() {
            let weight = if k == 1 { sigmoid(f64::from(logits[expert])) } else { probs[expert] };
            requests.push(Request::new(token, rank, expert, weight, shares[expert]));
        }
    }
    requests
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A token's share of an expert goes with its logit less the price.
    #[test]
    fn prices_make_the_plan() {
        let values = vec![2.0, 0.5, -1.0, 1.5, 1.0, 0.0, 1.0, -0.5, 0.3, 2.5, 0.0, 0.2];
        let gate_logits = GateLogits::new(3, values).expect("four rows");
        let plan = plan(&gate_logits);
        assert!(plan.prices.contains(&0.0) && plan.prices.iter().all(|&price| price >= 0.0), "{plan:?}");
        for (logits, shares) in gate_logits.rows().zip(plan.shares.chunks(3)) {
            let bought: Vec<f32> =
                logits.iter().zip(&plan.prices).map(|(z, price)| (f64::from(*z) - price) as f32).collect();
            let sum: f64 = shares.iter().sum();
            for (expected, share) in softmax(&bought).into_iter().zip(shares) {
                assert!((expected - share / sum).abs() < 1e-5, "{expected} {share}");
            }
        }
    }

    #[test]
    fn it_always_ends() {
        let check = |num_experts: usize, values: &[f32], is_cut_short: bool| {
            let gate_logits = GateLogits::new(num_experts, values.to_vec()).expect("whole rows");
            let plan = plan(&gate_logits);
            assert_eq!(plan.rounds == MOST_ROUNDS, is_cut_short, "{plan:?}");
            assert!(plan.shares.iter().all(|share| share.is_finite()), "{plan:?}");
        };
        // The second token hardly has a second choice: the columns' factors grow, less and less, for very long.
        check(2, &[-300.0, -301.0, -300.0, -340.0], true);
        check(3, &[0.5; 9], false);
        check(2, &[f32::MAX, -f32::MAX, f32::MAX, -f32::MAX], false);
        check(2, &[f32::MAX, -f32::MAX, -f32::MAX, f32::MAX], false);
        check(3, &[1.0e-45, 0.0, -1.0e-45], false);
        // Everybody wants the same expert, by more than f64 can tell apart.
        check(2, &[1000.0, 0.0, 1000.0, 0.0, 1000.0, 0.0], false);
        check(1, &[3.0, -3.0], false);
        check(4, &[], false);
    }
}
