//! Gating logit normalisation (Skywork-MoE, Wei et al. 2024, arXiv:2406.06563, eq. 4): every token's logits get the same
//! spread.
//!
//! `z̃ = λ (z - mean z) / std z` over the experts of a token, population deviation, then softmax as usual. A larger `λ`
//! makes a sharper gate. Causal, the same in training and inference. Ours: a row without any spread becomes zeros.
//!
//! Token 0 of the [running example](crate::example): mean 0.2125, deviation 1.1321, so (1.85 - 0.2125) / 1.1321 = 1.4464.
//! A token with twice the logits gets the same; twice the `λ` makes the gate sharper.
//!
//! ```
//! use moe_router::{example::assert_close, gate::softmax, token_choice::logit_norm};
//! use moe_trace::GateLogits;
//!
//! let gate_logits = GateLogits::new(4, vec![1.85, 0.65, -1.05, -0.60, 3.70, 1.30, -2.10, -1.20]).expect("two rows");
//! let normalised = logit_norm::normalised(&gate_logits, 1.0);
//! assert_close(normalised.row(0), &[1.4464, 0.3864, -1.1152, -0.7177]);
//! assert_close(normalised.row(1), &[1.4464, 0.3864, -1.1152, -0.7177]);
//! assert_close(&softmax(normalised.row(0)), &[0.6500, 0.2252, 0.0502, 0.0747]);
//! assert_close(&softmax(logit_norm::normalised(&gate_logits, 2.0).row(0)), &[0.8778, 0.1054, 0.0052, 0.0116]);
//! ```

use moe_trace::{GateLogits, RouterSpec, Weighting};

use crate::gate::computed_logits;
use crate::limits;
use crate::rule::{Argument, Assigns, Explained, Facts, Family, Form, GateReads, Requests, Rule, Run, own};
use crate::token_choice::top_k;

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "logit_norm",
    title: "Gating logit normalisation",
    one_line: "Top-k of logits brought to the same spread for every token.",
    family: Family::TokenChoice,
    paper: "Wei et al. 2024 (Skywork-MoE), arXiv:2406.06563",
    equation: Some("eq. 4"),
    needs: "nothing",
    trained_with: "lambda 1",
    at_inference: "the same",
    run: Run::Assigns(Assigns {
        form: Form {
            arguments: &[Argument::K, Argument::number("lambda").optional()],
            example: "logit_norm:k=2,lambda=1",
            read: |given| {
                Some(RouterSpec::LogitNorm { k: given.count("k")?, lambda: given.number("lambda").unwrap_or(1.0) })
            },
            print: own!(RouterSpec::LogitNorm { k, lambda } => vec![("k", k.into()), ("lambda", lambda.into())]),
        },
        check: own!(RouterSpec::LogitNorm { k, lambda }, num_experts => {
            limits::choices(k, num_experts)?;
            limits::positive("The factor lambda", lambda, "a finite number above 0, such as 1")
        }),
        facts: own!(RouterSpec::LogitNorm { k, .. } => Facts {
            reads: GateReads::OtherSoftmax,
            requests: Requests::Exactly(k),
            ..Facts::OF_SWITCH
        }),
        assign: own!(RouterSpec::LogitNorm { k, lambda }, group => {
            let normalised = normalised(group.gate_logits(), lambda);
            group.admit_by(&normalised, &top_k::requests(&normalised, k as usize, Weighting::Norm))
        }),
    }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "z′ = λ · {z − mean(z)}/{std(z)}, p = softmax(z′)",
    text: "Every token's logits are brought to the same spread, so that the gate is equally decided about all of \
           them; λ says how decided. Without it gates of large models drift towards probabilities that are almost \
           even.",
};

/// The normalised logits, `[tokens, experts]`.
pub fn normalised(gate_logits: &GateLogits, lambda: f32) -> GateLogits {
    let num_experts = gate_logits.num_experts() as f64;
    let normalised = gate_logits.rows().flat_map(|logits| {
        let mean = logits.iter().map(|&z| f64::from(z)).sum::<f64>() / num_experts;
        let variance = logits.iter().map(|&z| (f64::from(z) - mean).powi(2)).sum::<f64>() / num_experts;
        let factor = if variance == 0.0 { 0.0 } else { f64::from(lambda) / variance.sqrt() };
        logits.iter().map(move |&z| (f64::from(z) - mean) * factor)
    });
    computed_logits(gate_logits.num_experts(), normalised)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(logits: [f32; 4], lambda: f32, expected: [f32; 4]) {
        let gate_logits = GateLogits::new(4, logits.to_vec()).expect("one row");
        for (found, expected) in normalised(&gate_logits, lambda).values().iter().zip(expected) {
            assert!((found - expected).abs() < 1e-4, "{found} for {expected}");
        }
    }

    #[test]
    fn same_spread_for_every_token() {
        check([3.0, 3.0, 1.0, 1.0], 2.0, [2.0, 2.0, -2.0, -2.0]);
        check([5.0; 4], 1.0, [0.0; 4]);
    }
}
