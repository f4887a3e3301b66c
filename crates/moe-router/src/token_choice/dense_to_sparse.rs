//! The dense-to-sparse gate of EvoMoE (Nie et al. 2021, arXiv:2112.14397): many experts at first, fewer and fewer as a
//! temperature falls.
//!
//! `y = softmax((ln p + g) / τ)` with Gumbel draws `g`; entries up to a threshold (0.02) are set to 0 and the rest is
//! not renormalised. No capacity and no balance loss in that phase; the [losses](crate::losses) take an entry that was
//! dropped for no choice. Causal.
//! Training only: at inference the gate is plain top-1 of the softmax, [`switch`](super::switch).
//! The annealing of `τ` (2.0 down to 0.3) is not in the released gate; that schedule is ours.
//!
//! Token 0 of the [running example](crate::example) without draws, as it cools: warm it asks all four experts, at 0.5 two,
//! cold one. What is cut off is not made up for: 0.9081 + 0.0824 is less than 1.
//!
//! ```
//! use moe_router::example::{self, assert_close, experts, weights};
//! use moe_router::token_choice::dense_to_sparse::{DEFAULT_THRESHOLD, requests};
//!
//! let asked = |temperature| {
//!     let of_0 = requests(&example::gate_logits(), &[], temperature, DEFAULT_THRESHOLD).into_iter().take(4);
//!     of_0.filter(|request| request.withdrawn.is_none()).collect::<Vec<_>>()
//! };
//! assert_eq!(experts(&asked(2.0)), [0, 1, 3, 2]);
//! assert_eq!(experts(&asked(0.5)), [0, 1]);
//! assert_close(&weights(&asked(0.5)), &[0.9081, 0.0824]); // softmax(z / 0.5)
//! assert_eq!(experts(&asked(0.2)), [0]);
//! ```

use moe_trace::{Fate, GateLogits, RouterSpec};

use crate::decimal::as_written;
use crate::gate::{softmax, top_k};
use crate::limits;
use crate::request::Request;
use crate::rule::{
    Argument, Assigns, Chance, Explained, Facts, Family, Form, GateReads, Requests, Rule, Run, Slots, own,
};

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "dense_to_sparse",
    title: "Dense-to-sparse gate",
    one_line: "Softmax of noisy logits at a temperature; small weights are dropped, so cooling makes it sparse.",
    family: Family::TokenChoice,
    paper: "Nie et al. 2021 (EvoMoE), arXiv:2112.14397",
    equation: Some("code codecaution/EvoMoE: fairseq/modules/moe/topkgate.py"),
    needs: "Gumbel draws",
    trained_with: "temperature from 2 down to 0.3 (schedule ours), threshold 0.02",
    at_inference: "top-1: switch",
    run: Run::Assigns(Assigns {
        form: Form {
            arguments: &[Argument::number("temperature"), Argument::number("threshold").optional()],
            example: "dense_to_sparse:temperature=0.5,threshold=0.02",
            read: |given| {
                let threshold = given.number("threshold").unwrap_or(DEFAULT_THRESHOLD);
                Some(RouterSpec::DenseToSparse { temperature: given.number("temperature")?, threshold })
            },
            print: own!(RouterSpec::DenseToSparse { temperature, threshold } => {
                vec![("temperature", temperature.into()), ("threshold", threshold.into())]
            }),
        },
        check: own!(RouterSpec::DenseToSparse { temperature, threshold }, _num_experts => {
            limits::positive("The temperature", temperature, "a finite number above 0, such as 0.5")?;
            limits::fraction("The threshold of the gate", threshold)
        }),
        facts: |_| Facts {
            reads: GateReads::OtherSoftmax,
            requests: Requests::Everyone,
            slots: Slots::ForEveryone,
            chance: Chance::Noise,
            ..Facts::OF_SWITCH
        },
        assign: own!(RouterSpec::DenseToSparse { temperature, threshold }, group => {
            group.admit(&requests(group.gate_logits(), group.input.gumbels, temperature, threshold))
        }),
    }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "y = softmax({ln p + g}/{τ}), 0 where y_e ≤ 0.02",
    text: "Training begins with all experts and ends with one: as the temperature τ falls the softmax sharpens, and \
           weights below the threshold are dropped without making up for them. g are Gumbel draws, which let the \
           choice vary. At inference it is Switch.",
};

/// Entries up to this weight are dropped in the released code.
pub const DEFAULT_THRESHOLD: f32 = 0.02;

/// A request for every expert, by descending `y`; those at or below `threshold` are withdrawn as
/// [`Fate::BelowThreshold`]. `gumbels`: `[tokens, experts]`, missing draws count as 0. `temperature > 0`.
pub fn requests(gate_logits: &GateLogits, gumbels: &[f32], temperature: f32, threshold: f32) -> Vec<Request> {
    let num_experts = gate_logits.num_experts();
    let (temperature, threshold) = (as_written(temperature), as_written(threshold));
    let mut requests = Vec::with_capacity(gate_logits.values().len());
    for (token, logits) in gate_logits.rows().enumerate() {
        let probs = softmax(logits);
        let perturbed: Vec<f64> = (0..num_experts)
            .map(|expert| {
                let gumbel = gumbels.get(token * num_experts + expert).copied().unwrap_or(0.0);
                // ln p is z but for a constant per token, which softmax forgets; z has no ln 0.
                (f64::from(logits[expert]) + f64::from(gumbel)) / temperature
            })
            .collect();
        let weights = softmax(&perturbed);
        for (rank, expert) in top_k(&perturbed, num_experts).into_iter().enumerate() {
            let mut request = Request::new(token, rank, expert, weights[expert], probs[expert]);
            if weights[expert] <= threshold {
                request.withdrawn = Some(Fate::BelowThreshold);
            }
            requests.push(request);
        }
    }
    requests
}
