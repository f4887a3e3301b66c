//! Merged experts: SMEAR (Muqeeth et al. 2023, arXiv:2306.03745) and MEO (He et al. 2023, arXiv:2310.09832) average the
//! experts' *weights* and run the one expert that results.
//!
//! SMEAR: one merged expert per sequence, `θ = Σ_e r_e θ_e` for every weight and bias, `r = softmax(LN(x̄) LN'(W_r))`. MEO:
//! the same with the top-k of `r` only. Cost: one expert per token, plus merging. Merging weights is not mixing outputs,
//! because experts are not linear. No choice, no balance loss.
//! `x̄` is the mean of the sequence: not causal in a decoder, unless it is the mean of the prompt or of an encoder.
//! Training adds expert dropout. MEO's token-level attention is left out.
//! Deviation: SMEAR normalises what its gate sees, `LN(x̄)` and every column of `W_r`. That is no part of the rule `smear` of
//! [`Mixer`](crate::Mixer), which takes gate logits as they come and averages those, as if the gate were plainly linear:
//! `softmax(x̄ W_r)`. Whoever has hidden states computes `x̄`, applies [`layer_norm`] to it and to the columns, and passes in
//! the logits that result, one row per sequence.

use crate::matrix::{Matrix, dot};

/// The merged parameters of every sequence, `[sequences, parameters]`.
///
/// `route`: `[sequences, experts]`, rows of softmax. `experts`: `[experts, parameters]`, all weights and biases of each.
pub fn merged(route: &Matrix, experts: &Matrix) -> Matrix {
    route.times(experts)
}

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
    fn merging_linear_experts_is_mixing_them() {
        let experts = Matrix::new(2, vec![1.0, 0.0, 0.0, 2.0]);
        let route = Matrix::new(2, vec![0.25, 0.75]);
        assert_eq!(merged(&route, &experts).values(), [0.25, 1.5]);
    }

    #[test]
    fn the_remaining_experts_take_over() {
        let check = |uniforms: [f32; 3], expected: [f32; 3]| {
            let found = with_dropped_experts(&[0.5, 0.3, 0.2], &uniforms, 0.1);
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
        };
        check([0.5, 0.5, 0.5], [0.5, 0.3, 0.2]);
        check([0.05, 0.5, 0.5], [0.0, 0.6, 0.4]);
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
