//! BASE layers (Lewis et al. 2021, arXiv:2103.16716, section 3.2): every expert gets exactly `T / E` tokens, found by
//! an auction.
//!
//! Training maximises `Σ_t z[t, a_t]` under that balance; fairseq's auction (Bertsekas 1992) comes close to the optimum,
//! which [`super::best_assignment`] finds. Output: `α F_e(x) + (1-α) x` with `α = sigmoid(z[t,e])`, the only thing that
//! teaches the gate. No auxiliary loss, no drops. Not causal.
//! Inference: plain argmax, no balance, causal: the model is used otherwise than it was trained.
//!
//! Experts bid for their best tokens, a token goes to the highest bid and becomes dearer for all, and what was won is
//! kept cheaply in the next round. Ties: lower token, lower expert (ours). `T` must be a multiple of `E`, or the auction
//! would never end: pad the group with tokens of affinity 0, or take the exact solver.
//!
//! The [running example](crate::example) with two tokens more, so that eight divide among four experts. By themselves
//! six of eight want expert 0; the auction sends four of them elsewhere, in one round, and finds the best there is.
//!
//! ```
//! use moe_router::example::{self, assert_close, weights};
//! use moe_router::group_choice::auction;
//! use moe_trace::GateLogits;
//!
//! let two_more = [1.66, 0.54, -0.43, -0.01, 0.96, 0.85, -0.63, -0.78];
//! let gate_logits = GateLogits::new(4, [example::gate_logits().values(), &two_more].concat()).expect("eight rows");
//! assert_eq!(auction::greedy(&gate_logits), [0, 0, 0, 2, 0, 3, 0, 0]);
//! let auction::Auction { experts, rounds } = auction::auction(&gate_logits).expect("8 tokens, 4 experts");
//! assert_eq!((experts.as_slice(), rounds), ([0, 1, 3, 2, 0, 3, 2, 1].as_slice(), 1)); // two tokens each
//! assert_close(&[auction::total_affinity(&gate_logits, &experts)], &[8.40]); // 1.85 + 1.16 + 0.80 + …
//! assert_close(&weights(&auction::requests(&gate_logits, &experts))[..2], &[0.8641, 0.7613]); // sigmoid(1.85), (1.16)
//! ```

use moe_trace::{BaseSolver, GateLogits, RouterSpec};

use crate::gate::{sigmoid, top_k};
use crate::group_choice::best_assignment::best_assignment;
use crate::request::Request;
use crate::rule::{Argument, Assigns, Explained, Facts, Family, Form, GateReads, Rule, Run, Slots, own};

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "base",
    title: "BASE",
    one_line: "Every expert gets the same number of tokens, at the greatest total affinity.",
    family: Family::TokenChoice,
    paper: "Lewis et al. 2021, arXiv:2103.16716",
    equation: Some("section 3.2"),
    needs: "nothing",
    trained_with: "an auction over the batch",
    at_inference: "the best expert, causal: base:greedy",
    run: Run::Assigns(Assigns {
        form: Form {
            arguments: &[Argument::word("solver", &["auction", "exact", "greedy"])],
            example: "base:auction",
            read: |given| {
                Some(RouterSpec::Base {
                    solver: match given.word("solver") {
                        Some("exact") => BaseSolver::Exact,
                        Some("greedy") => BaseSolver::Greedy,
                        _ => BaseSolver::Auction,
                    },
                })
            },
            print: own!(RouterSpec::Base { solver } => {
                let solver = match solver {
                    BaseSolver::Auction => "auction",
                    BaseSolver::Exact => "exact",
                    BaseSolver::Greedy => "greedy",
                };
                vec![("solver", solver.into())]
            }),
        },
        check: |_, _| Ok(()),
        facts: own!(RouterSpec::Base { solver } => Facts {
            reads: GateReads::Logits,
            slots: Slots::ForEveryone,
            looks_ahead: solver != BaseSolver::Greedy,
            ..Facts::OF_SWITCH
        }),
        assign: own!(RouterSpec::Base { solver }, group => {
            let experts = match solver {
                BaseSolver::Auction => balanced(group.gate_logits()),
                BaseSolver::Exact => best_assignment(group.gate_logits()),
                BaseSolver::Greedy => greedy(group.gate_logits()),
            };
            group.admit(&requests(group.gate_logits(), &experts))
        }),
    }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "max Σ_t z_{t,a(t)}, every expert T/E tokens",
    text: "Tokens are dealt out so that each expert gets exactly as many, and the sum of what they prefer is as \
           large as it can be. An auction finds it: experts bid for tokens, and what is wanted by many becomes \
           dear. At inference each token takes its best expert, and balance is gone.",
};

/// Rounds after which winners are no longer favoured, as in fairseq; it then ends sooner and a little worse.
const FAVOURED_ROUNDS: usize = 100;
/// Rounds after which we give up and solve exactly. Adversaries in the tests need at most about as many as experts.
const MOST_ROUNDS: usize = 1000;

/// Everybody's expert, and how long it took.
#[derive(Debug, Clone, PartialEq)]
pub struct Auction {
    /// `[tokens]`; each expert occurs equally often.
    pub experts: Vec<usize>,
    /// Rounds in which not every token had a bid.
    pub rounds: usize,
}

/// Auctions the tokens off; `None` unless they divide evenly among the experts.
pub fn auction(gate_logits: &GateLogits) -> Option<Auction> {
    let (num_tokens, num_experts) = (gate_logits.num_tokens(), gate_logits.num_experts());
    if !num_tokens.is_multiple_of(num_experts) {
        return None;
    }
    if num_experts == 1 || num_tokens == 0 {
        return Some(Auction { experts: vec![0; num_tokens], rounds: 0 });
    }
    let share = num_tokens / num_experts;
    let affinity = |expert: usize, token: usize| f64::from(gate_logits.row(token)[expert]);
    let values = || gate_logits.values().iter().map(|&z| f64::from(z));
    let (least, most) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    let increment = ((most - least) / 50.0).max(1e-4);

    let mut prices = vec![0.0; num_tokens];
    let mut holders: Vec<Option<usize>> = vec![None; num_tokens];
    for rounds in 0..MOST_ROUNDS {
        let favours = rounds < FAVOURED_ROUNDS;
        // What a token is worth to an expert now: less than it was by its price, but most of all to its holder.
        let worth = |expert: usize, token: usize| match holders[token] {
            Some(holder) if holder == expert => {
                // The rule of the round in which it was won.
                if rounds <= FAVOURED_ROUNDS { most } else { affinity(expert, token) }
            }
            _ => affinity(expert, token) - prices[token],
        };
        let mut bids = vec![0.0; num_experts * num_tokens];
        let mut wanted = Vec::with_capacity(num_experts);
        for expert in 0..num_experts {
            let worths: Vec<f64> = (0..num_tokens).map(|token| worth(expert, token)).collect();
            let mut best = top_k(&worths, share + 1);
            let next_best = worths[best[share]];
            best.truncate(share);
            for &token in &best {
                bids[expert * num_tokens + token] = worths[token] - next_best + increment;
            }
            wanted.push(best);
        }
        if rounds > 0 && favours {
            for (token, holder) in holders.iter().enumerate() {
                if let Some(holder) = holder {
                    bids[holder * num_tokens + token] = increment;
                }
            }
        }
        // The highest bid of every token, and the first expert to make it.
        let highest: Vec<(f64, usize)> = (0..num_tokens)
            .map(|token| {
                let of_token: Vec<f64> = (0..num_experts).map(|expert| bids[expert * num_tokens + token]).collect();
                let bidder = top_k(&of_token, 1)[0];
                (of_token[bidder], bidder)
            })
            .collect();
        if highest.iter().all(|(bid, _)| *bid > 0.0) {
            let mut experts = vec![0; num_tokens];
            for (expert, tokens) in wanted.into_iter().enumerate() {
                tokens.into_iter().for_each(|token| experts[token] = expert);
            }
            return Some(Auction { experts, rounds });
        }
        for (token, (bid, bidder)) in highest.into_iter().enumerate() {
            prices[token] += bid;
            holders[token] = (bid > 0.0).then_some(bidder);
        }
    }
    Some(Auction { experts: best_assignment(gate_logits), rounds: MOST_ROUNDS })
}

/// Training, for any number of tokens: the auction's experts, or the exact solver's where tokens do not divide evenly
/// among the experts. `[tokens]`.
pub fn balanced(gate_logits: &GateLogits) -> Vec<usize> {
    auction(gate_logits).map_or_else(|| best_assignment(gate_logits), |auction| auction.experts)
}

/// Inference: everybody's best expert, `[tokens]`.
pub fn greedy(gate_logits: &GateLogits) -> Vec<usize> {
    gate_logits.rows().map(|logits| top_k(logits, 1)[0]).collect()
}

/// One request per token to its expert, with weight `α = sigmoid(z)`. `experts`: `[tokens]`.
pub fn requests(gate_logits: &GateLogits, experts: &[usize]) -> Vec<Request> {
    let affinities = gate_logits.rows().zip(experts).map(|(logits, &expert)| f64::from(logits[expert]));
    let requests = affinities.zip(experts).enumerate();
    requests.map(|(token, (z, &expert))| Request::new(token, 0, expert, sigmoid(z), z)).collect()
}

/// What an assignment is worth: the sum of its affinities, `Σ_t z[t, a_t]`.
pub fn total_affinity(gate_logits: &GateLogits, experts: &[usize]) -> f64 {
    gate_logits.rows().zip(experts).map(|(logits, &expert)| f64::from(logits[expert])).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(num_experts: usize, values: &[f32], expected: &[usize]) {
        let gate_logits = GateLogits::new(num_experts, values.to_vec()).expect("whole rows");
        let auction = auction(&gate_logits).expect("tokens divide evenly");
        assert_eq!(auction.experts, expected, "after {} rounds", auction.rounds);
    }

    #[test]
    fn everyone_gets_the_same_number_of_tokens() {
        // Both prefer expert 0; the one that loses less moves over.
        check(2, &[3.0, 1.0, 2.0, 1.5], &[0, 1]);
        check(2, &[1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0], &[0, 0, 1, 1]);
        check(1, &[5.0, 4.0], &[0, 0]);
        check(3, &[], &[]);
    }

    #[test]
    fn it_always_ends_in_balance() {
        // Ties everywhere, one expert whom all want, the same row for all, huge, tiny, and a few enormous numbers.
        type Adversary = fn(f32, usize, usize) -> f32;
        let adversaries: [Adversary; 7] = [
            |_, _, _| 0.5,
            |z, _, _| z.round(),
            |z, _, expert| if expert == 0 { z + 50.0 } else { z },
            |_, _, expert| expert as f32,
            |z, _, _| z * 1.0e37,
            |z, _, _| z * 1.0e-40,
            |_, token, expert| if expert == token % 2 { f32::MAX } else { -f32::MAX },
        ];
        let mut draws = crate::draws::SplitMix64::new(3);
        for (num_tokens, num_experts) in [(12, 2), (8, 8), (64, 8), (128, 64)] {
            for adversary in adversaries {
                let values = (0..num_tokens * num_experts)
                    .map(|at| adversary(draws.normal() as f32, at / num_experts, at % num_experts))
                    .collect();
                let gate_logits = GateLogits::new(num_experts, values).expect("finite numbers in whole rows");
                let auction = auction(&gate_logits).expect("tokens divide evenly");
                assert!(auction.rounds < MOST_ROUNDS, "{} rounds", auction.rounds);
                for expert in 0..num_experts {
                    let load = auction.experts.iter().filter(|of| **of == expert).count();
                    assert_eq!(load, num_tokens / num_experts);
                }
            }
        }
    }

    #[test]
    fn uneven_groups_cannot_be_auctioned() {
        let gate_logits = GateLogits::new(2, vec![0.0; 6]).expect("three rows");
        assert_eq!(auction(&gate_logits), None);
    }
}
