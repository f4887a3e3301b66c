//! SMEAR (Muqeeth et al. 2023, arXiv:2306.03745): all experts merged into one per sequence, by the mean of its tokens.
//!
//! `θ = Σ_e r_e θ_e` ([`expert_merging`](super::expert_merging)) with `r = softmax(LN(x̄) LN'(W_r))`. `x̄` is the mean
//! of the sequence: not causal in a decoder, unless it is the mean of the prompt or of an encoder. Training adds
//! [expert dropout](with_dropped_experts), inference does not.
//! Deviation: SMEAR normalises what its gate sees, `LN(x̄)` and every column of `W_r`. That is no part of the rule `smear` of
//! [`Mixer`](crate::Mixer), which takes gate logits as they come and averages those, as if the gate were plainly linear:
//! `softmax(x̄ W_r)`. Whoever has hidden states computes `x̄`, applies [`layer_norm`] to it and to the columns, and passes in
//! the logits that result, one row per sequence.
//!
//! The [running example](crate::example) as two sequences of three tokens. The mean logits of the first are 1.5967,
//! 0.5700, -0.5433, -0.1733; their softmax is its expert's recipe. Then dropout: expert 0 draws less than the rate 0.1, and
//! the others share what it had.
//!
//! ```
//! use moe_router::{Mixer, RouterInput, example, mixing::smear};
//! use moe_trace::Mixing;
//!
//! let gate_logits = example::gate_logits();
//! let input = RouterInput::new(&gate_logits).with_sequence_ids(&[0, 0, 0, 1, 1, 1]);
//! let mixer = Mixer::new(moe_router::rules::parse_mixer("smear").expect("a rule"), 4).expect("four experts");
//! let Ok(Mixing::Merged { shares, row_of, .. }) = mixer.mix(&input) else { panic!("one expert per sequence") };
//! example::assert_close(&shares, &[0.6075, 0.2176, 0.0715, 0.1035, 0.2998, 0.2251, 0.2221, 0.2530]);
//! assert_eq!(row_of, [0, 0, 0, 1, 1, 1].map(Some));
//! let dropped = smear::with_dropped_experts(&[0.5, 0.3, 0.2], &[0.05, 0.5, 0.5], 0.1);
//! example::assert_close(&dropped, &[0.0, 0.6, 0.4]);
//! ```

use moe_trace::MixerSpec;

use crate::matrix::{Matrix, dot};
use crate::rule::{Explained, Family, Form, Mixes, Rule, Run};

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "smear",
    title: "SMEAR",
    one_line: "The experts' weights are averaged into one expert per sequence.",
    family: Family::ExpertMerging,
    paper: "Muqeeth et al. 2023, arXiv:2306.03745",
    equation: Some("code r-three/smear: hyperformer/hyperformer/adapters/adapter_controller_fast.py"),
    needs: "sequence ids where there is more than one",
    trained_with: "expert dropout 0.1",
    at_inference: "no dropout; in a decoder the mean of the source",
    run: Run::Mixes(Mixes {
        form: Form { arguments: &[], example: "smear", read: |_| Some(MixerSpec::Smear), print: |_| Vec::new() },
        check: |_, _| Ok(()),
        looks_ahead: true,
    }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "θ = Σ_e r_e · θ_e, r = softmax(W · mean_t(x_t)), y_t = FFN_θ(x_t)",
    text: "The weights of all experts are averaged into one expert for the sequence, and all tokens go through that \
           one. It costs one expert evaluation per token and has an exact gradient; the average follows the mean of \
           the text, its end included.",
};

/// Router-side normalisation: every row to mean 0 and variance 1 (1e-5 is added to the variance), without gain or bias.
pub fn layer_norm(matrix: &Matrix) -> Matrix {
    let width = matrix.width() as f64;
    let normalised = matrix.rows().flat_map(|row| {
        let mean = row.iter().map(|&value| f64::from(value)).sum::<f64>() / width;
        let variance = (dot(row, row) / width - mean * mean).max(0.0);
        row.iter().map(move |&value| (f64::from(value) - mean) / (variance + 1e-5).sqrt())
    });
    Matrix::rounded(matrix.width(), normalised)
}

/// Expert dropout in training: an expert whose draw is below `rate` is left out, the others are renormalised.
///
/// `route` and `uniforms`: `[experts]` of one sequence. With everybody left out the result is even.
pub fn with_dropped_experts(route: &[f32], uniforms: &[f32], rate: f32) -> Vec<f32> {
    let surviving = |(&share, &draw): (&f32, &f32)| if draw < rate { 0.0 } else { f64::from(share) } + 1e-10;
    let kept: Vec<f64> = route.iter().zip(uniforms).map(surviving).collect();
    let sum: f64 = kept.iter().sum();
    kept.into_iter().map(|share| (share / sum) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remaining_experts_take_over() {
        let check = |uniforms: [f32; 3], expected: [f32; 3]| {
            let found = with_dropped_experts(&[0.5, 0.3, 0.2], &uniforms, 0.1);
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
        };
        check([0.5, 0.5, 0.5], [0.5, 0.3, 0.2]);
        check([0.0, 0.0, 0.0], [1.0 / 3.0; 3]);
    }

    #[test]
    fn normalised_rows() {
        let found = layer_norm(&Matrix::new(2, vec![1.0, 3.0, 7.0, 7.0]));
        for (found, expected) in found.values().iter().zip([-1.0, 1.0, 0.0, 0.0]) {
            assert!((found - expected).abs() < 1e-4);
        }
    }
}
