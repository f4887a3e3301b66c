//! GShard top-2 (Lepikhin et al. 2020, arXiv:2006.16668, algorithm 1): two experts, the second one optional.
//!
//! `g1 = p[e1] / (p[e1] + p[e2])`, `g2 = p[e2] / (p[e1] + p[e2])`; the first expert is always asked, the second only if
//! the spec's test says so. The tests use the normalised `g2`, whatever the weights in the end.
//! Causal by itself; its rank-major slots look at later tokens. In the paper chance thins out second experts in
//! training; at inference use `Always` (mesh-TensorFlow and DeepSpeed keep drawing at inference too).
//!
//! Normalisation: `BeforeDrop` (the paper, mesh-TensorFlow) leaves a survivor's weight as it was; `AfterDrop`
//! (DeepSpeed, NLLB) divides raw probabilities by their sum over what was kept, so a sole survivor weighs 1.
//! Deviations: the printed algorithm counts a second request that chance withdrew as if it filled a slot; like
//! mesh-TensorFlow and NLLB we do not. Without its 1e-9 in mesh-TensorFlow's denominator. NLLB tests the raw `p[e2]`.
//!
//! The second experts of the [running example](crate::example) have `g2` 0.2315, 0.4158, 0.3452, 0.4452, 0.1780, 0.2891. In
//! training a draw decides, `2 g2 > u`: token 0 is out (0.4630 < 0.7804), token 1 is in (0.8316 > 0.3881).
//!
//! ```
//! use moe_router::example::{self, assert_close, weights};
//! use moe_router::token_choice::gshard;
//! use moe_trace::{Normalise, SecondExpert};
//!
//! let draws = [0.7804, 0.3881, 0.0968, 0.9529, 0.5969, 0.0939];
//! let ask = |second| gshard::requests(&example::gate_logits(), second, Normalise::BeforeDrop, &draws, &[]);
//! assert_close(&weights(&ask(SecondExpert::Always)[..4]), &[0.7685, 0.2315, 0.5842, 0.4158]);
//! let asks_second = |second| ask(second).chunks(2).map(|pair| pair[1].withdrawn.is_none()).collect::<Vec<_>>();
//! assert_eq!(asks_second(SecondExpert::Proportional), [false, true, true, false, false, true]);
//! assert_eq!(asks_second(SecondExpert::Threshold { threshold: 0.2 }), [true, true, true, true, false, true]);
//! ```

use moe_trace::{Assignment, Fate, GateLogits, Normalise, RouterSpec, SecondExpert};

use crate::decimal::as_written;
use crate::gate::{softmax, top_k};
use crate::input::RouterInput;
use crate::limits;
use crate::request::Request;
use crate::rule::{Argument, Assigns, Chance, Explained, Facts, Family, Form, Requests, Rule, Run, own};
use crate::spec_error::SpecError;

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "gshard",
    title: "GShard top-2",
    one_line: "Two experts; chance or a threshold decides whether the second is asked.",
    family: Family::TokenChoice,
    paper: "Lepikhin et al. 2020, arXiv:2006.16668",
    equation: Some("algorithm 1"),
    needs: "a uniform draw per token (proportional, random) or Gumbel draws (sampled)",
    trained_with: "second expert with probability 2 g2, capacity factor 1.25",
    at_inference: "second expert always, capacity factor 2",
    run: Run::Assigns(Assigns {
        form: Form {
            arguments: &[
                Argument::word("second", &["always", "never", "proportional", "sampled"]).exclusive(),
                Argument::word("normalise", &["before", "after"]),
                Argument::number("threshold").optional().keyed().exclusive(),
                Argument::number("random").optional().keyed().exclusive(),
            ],
            example: "gshard:proportional",
            read: |given| {
                let second = match (given.word("second"), given.number("threshold"), given.number("random")) {
                    (_, Some(threshold), _) => SecondExpert::Threshold { threshold },
                    (_, _, Some(threshold)) => SecondExpert::Random { threshold },
                    (Some("never"), ..) => SecondExpert::Never,
                    (Some("proportional"), ..) => SecondExpert::Proportional,
                    (Some("sampled"), ..) => SecondExpert::Sampled,
                    _ => SecondExpert::Always,
                };
                let after = given.word("normalise") == Some("after");
                let normalise = if after { Normalise::AfterDrop } else { Normalise::BeforeDrop };
                Some(RouterSpec::Gshard { second, normalise })
            },
            print: own!(RouterSpec::Gshard { second, normalise } => {
                let second = match second {
                    SecondExpert::Always => ("second", "always".into()),
                    SecondExpert::Never => ("second", "never".into()),
                    SecondExpert::Proportional => ("second", "proportional".into()),
                    SecondExpert::Sampled => ("second", "sampled".into()),
                    SecondExpert::Threshold { threshold } => ("threshold", threshold.into()),
                    SecondExpert::Random { threshold } => ("random", threshold.into()),
                };
                let after = (normalise == Normalise::AfterDrop).then_some(("normalise", "after".into()));
                [second].into_iter().chain(after).collect()
            }),
        },
        check: own!(RouterSpec::Gshard { second, .. }, num_experts => {
            if num_experts < 2 {
                return Err(SpecError::TooFewExperts { rule: RULE.name, needs: 2, num_experts });
            }
            match second {
                SecondExpert::Always | SecondExpert::Never | SecondExpert::Proportional | SecondExpert::Sampled => {
                    Ok(())
                }
                SecondExpert::Threshold { threshold } | SecondExpert::Random { threshold } => {
                    let what = "The threshold of the second expert";
                    limits::positive(what, threshold, "a finite number above 0, such as 0.2")
                }
            }
        }),
        facts: own!(RouterSpec::Gshard { second, .. } => {
            let chance = match second {
                SecondExpert::Random { .. } | SecondExpert::Proportional | SecondExpert::Sampled => {
                    Chance::SecondExpert
                }
                SecondExpert::Always | SecondExpert::Never | SecondExpert::Threshold { .. } => Chance::Nothing,
            };
            Facts { requests: Requests::Exactly(2), chance, ..Facts::OF_SWITCH }
        }),
        assign: own!(RouterSpec::Gshard { second, normalise }, group => {
            let RouterInput { gate_logits, uniforms, gumbels, .. } = group.input;
            let mut routing = group.admit(&requests(gate_logits, second, normalise, uniforms, gumbels));
            if normalise == Normalise::AfterDrop {
                renormalise_kept(&mut routing.assignments);
            }
            routing
        }),
    }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "g_2 = {p_{e2}}/{p_{e1} + p_{e2}}, second asked where 2 · g_2 > u",
    text: "The best expert is always asked, the second only as often as it matters: a draw u from 0 to 1 lets it \
           through in proportion to its weight. First choices of all tokens get their slots before any second \
           choice, so that a late token's first choice can take the slot of an early token's second.",
};

/// Two requests per token; at least two experts. Chance is in the draws, and missing draws count as 0.
///
/// `uniforms`: `[tokens]`, in [0, 1). Without them every second expert that they would decide about is asked.
/// `gumbels`: `[tokens, experts]`, for `Sampled`. Without them the second expert is the next best.
pub fn requests(
    gate_logits: &GateLogits,
    second: SecondExpert,
    normalise: Normalise,
    uniforms: &[f32],
    gumbels: &[f32],
) -> Vec<Request> {
    let num_experts = gate_logits.num_experts();
    let limit = match second {
        SecondExpert::Threshold { threshold } | SecondExpert::Random { threshold } => as_written(threshold),
        _ => 0.0,
    };
    let mut requests = Vec::with_capacity(gate_logits.num_tokens() * 2);
    for (token, logits) in gate_logits.rows().enumerate() {
        let probs = softmax(logits);
        let mut experts = top_k(logits, 2);
        if second == SecondExpert::Sampled {
            let perturbed = |expert: usize| {
                let gumbel = gumbels.get(token * num_experts + expert).copied().unwrap_or(0.0);
                f64::from(logits[expert]) + f64::from(gumbel)
            };
            let others: Vec<usize> = (0..num_experts).filter(|&expert| expert != experts[0]).collect();
            let keys: Vec<f64> = others.iter().map(|&expert| perturbed(expert)).collect();
            experts[1] = others[top_k(&keys, 1)[0]];
        }
        let raw = [probs[experts[0]], probs[experts[1]]];
        let pair = raw[0] + raw[1];
        let g2 = raw[1] / pair;
        let draw = f64::from(uniforms.get(token).copied().unwrap_or(0.0));
        let asked = match second {
            SecondExpert::Always | SecondExpert::Sampled => true,
            SecondExpert::Never => false,
            SecondExpert::Threshold { .. } => g2 > limit,
            SecondExpert::Random { .. } => draw < g2 / limit,
            SecondExpert::Proportional => 2.0 * g2 > draw,
        };
        for rank in 0..2 {
            let weight = match normalise {
                Normalise::BeforeDrop => raw[rank] / pair,
                Normalise::AfterDrop => raw[rank],
            };
            let mut request = Request::new(token, rank, experts[rank], weight, raw[rank]);
            if rank == 1 && !asked {
                request.withdrawn = Some(Fate::Skipped);
            }
            requests.push(request);
        }
    }
    requests
}

/// `Normalise::AfterDrop`: divides the weights of each token's kept requests by their sum.
///
/// `assignments` are ordered by token. A token that kept nothing is left alone: its weights multiply nothing.
pub fn renormalise_kept(assignments: &mut [Assignment]) {
    for of_token in assignments.chunk_by_mut(|a, b| a.token == b.token) {
        let kept: f64 = of_token.iter().filter(|a| a.fate.is_kept()).map(|a| f64::from(a.weight)).sum();
        for assignment in of_token.iter_mut().filter(|a| a.fate.is_kept()) {
            assignment.weight = (f64::from(assignment.weight) / kept.max(f64::EPSILON)) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Second experts asked of the running example's tokens, as `x` or `-`; all weights are of the normalised pair.
    fn check(second: SecondExpert, uniforms: &[f32], expected: &str) {
        let gate_logits = crate::example::gate_logits();
        let requests = requests(&gate_logits, second, Normalise::BeforeDrop, uniforms, &[]);
        let asked = requests.chunks(2).map(|pair| if pair[1].withdrawn.is_none() { 'x' } else { '-' });
        assert_eq!(asked.collect::<String>(), expected, "{second:?}");
        for (pair, g1) in requests.chunks(2).zip([0.7685, 0.5842, 0.6548, 0.5548, 0.8220, 0.7109]) {
            assert!((pair[0].weight - g1).abs() < 5e-5 && (pair[0].weight + pair[1].weight - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn who_asks_a_second_expert() {
        // g2 = 0.2315, 0.4158, 0.3452, 0.4452, 0.1780, 0.2891.
        let uniforms = [0.7804, 0.3881, 0.0968, 0.9529, 0.5969, 0.0939];
        check(SecondExpert::Always, &[], "xxxxxx");
        check(SecondExpert::Never, &[], "------");
        check(SecondExpert::Threshold { threshold: 0.2 }, &[], "xxxx-x");
        check(SecondExpert::Random { threshold: 0.2 }, &uniforms, "xxxxxx");
        check(SecondExpert::Random { threshold: 0.5 }, &uniforms, "-xx--x");
        check(SecondExpert::Proportional, &uniforms, "-xx--x");
        // No draws: every missing one counts as 0, and the test passes.
        check(SecondExpert::Proportional, &[], "xxxxxx");
        check(SecondExpert::Proportional, &uniforms[..1], "-xxxxx");
        check(SecondExpert::Sampled, &[], "xxxxxx");
    }

    #[test]
    fn a_sampled_second_expert_is_never_the_first() {
        let gate_logits = GateLogits::new(3, vec![2.0, 1.0, 0.0]).expect("one row");
        let check = |gumbels: [f32; 3], expected: [u32; 2]| {
            let requests = requests(&gate_logits, SecondExpert::Sampled, Normalise::BeforeDrop, &[], &gumbels);
            assert_eq!([requests[0].expert.0, requests[1].expert.0], expected);
        };
        check([0.0, 0.0, 0.0], [0, 1]);
        check([9.0, 0.0, 2.0], [0, 2]);
        // Sums beyond f32 still tell experts apart, and the first one is not asked twice.
        let gate_logits = GateLogits::new(3, vec![-f32::MAX; 3]).expect("one row");
        let of_lowest = |gumbels: &[f32]| {
            let requests = requests(&gate_logits, SecondExpert::Sampled, Normalise::BeforeDrop, &[], gumbels);
            [requests[0].expert.0, requests[1].expert.0]
        };
        assert_eq!(of_lowest(&[-f32::MAX; 3]), [0, 1]);
        assert_eq!(of_lowest(&[0.0, -f32::MAX, -f32::MAX / 2.0]), [0, 2]);
    }
}
