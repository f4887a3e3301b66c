//! The cosine router of X-MoE (Chi et al. 2022, arXiv:2204.09179, eq. 6-7): logits that forget how long vectors are.
//!
//! Hidden states are projected to a few dimensions (half the number of experts) and compared with expert embeddings on
//! the unit sphere: `cos(W_p x, v_e) / τ`, with a learnable temperature `τ` (0.3 at first). A linear gate pulls hidden
//! states into the span of the expert vectors; this one does so in the small space only. What follows is Switch or
//! top-k on these logits, or a sigmoid of them. Causal, the same in training and inference; fine-tuning freezes the router.
//! Tutel adds a bias and other initial values; torchscale's gate leaves the token side unnormalised and has no `τ`.
//!
//! Token 0 of the [running example](crate::example), projected to two dimensions. The linear gate prefers expert 0 by far
//! (0.6932); by direction alone expert 1 is a little nearer, and a token ten times as long says the same.
//!
//! ```
//! use moe_router::example::{self, assert_close};
//! use moe_router::{gate::softmax, matrix::Matrix, token_choice::cosine};
//!
//! let projection = Matrix::new(2, vec![1.0, 0.2, -0.3, 0.9, 0.5, -0.4]);
//! let embeddings = Matrix::new(2, vec![1.0, 0.1, -0.2, 1.0, 0.3, -1.0, -0.9, -0.4]);
//! let cosines = cosine::similarities(&example::hidden(), &projection, &embeddings)?;
//! assert_close(cosines.row(0), &[0.6551, 0.6880, -0.6168, -0.8588]);
//! assert_close(&softmax(cosine::logits(&cosines, 0.3)?.row(0)), &[0.4680, 0.5222, 0.0067, 0.0030]);
//! let longer = Matrix::new(3, vec![10.0, 5.0, -5.0]);
//! assert_close(cosine::similarities(&longer, &projection, &embeddings)?.row(0), &[0.6551, 0.6880, -0.6168, -0.8588]);
//! # Ok::<(), moe_router::InputError>(())
//! ```

use moe_trace::GateLogits;

use crate::gate::computed_logits;
use crate::input::{InputError, positive, shape};
use crate::matrix::{Matrix, dot};
use crate::rule::{Explained, Family, InRust, Kind, Rule, Run};

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "cosine",
    title: "Cosine router",
    one_line: "Logits are cosines of projected hidden states and expert embeddings, over a temperature.",
    family: Family::TokenChoice,
    paper: "Chi et al. 2022 (X-MoE), arXiv:2204.09179",
    equation: Some("eq. 6-7"),
    needs: "hidden states, a projection and expert embeddings",
    trained_with: "half as many dimensions as experts, temperature from 0.3, then top-1",
    at_inference: "the same",
    run: Run::InRust(InRust { kind: Kind::Scores, module: module_path!(), instead: "switch", looks_ahead: false }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "z_e = {cos(W · x, v_e)}/{τ}",
    text: "The gate compares directions in a small space, not lengths: a linear gate draws hidden states towards \
           the few vectors of the experts, and this one does so in the small space alone. It gives logits; top-1 or \
           top-k decides as ever.",
};

/// Norms are at least this, so that a zero vector is unlike everything (ours).
const LEAST_NORM: f64 = 1e-12;

/// Cosines of every projected token with every expert, `[tokens, experts]`; or what is not finite, or does not fit.
///
/// `hidden`: `[tokens, d_model]`. `projection`: `[d_model, d_routing]`. `embeddings`: `[experts, d_routing]`.
pub fn similarities(hidden: &Matrix, projection: &Matrix, embeddings: &Matrix) -> Result<GateLogits, InputError> {
    hidden.check("hidden state")?;
    projection.check("weight of the projection")?;
    embeddings.check("number of the expert embeddings")?;
    shape("columns of hidden states", hidden.width(), projection.num_rows())?;
    shape("columns of expert embeddings", embeddings.width(), projection.width())?;
    // The projection stays in f64: it may be beyond f32, and where it nearly cancels its last digits count.
    let columns = projection.transposed();
    let norm = |squares: f64| squares.sqrt().max(LEAST_NORM);
    let norms: Vec<f64> = embeddings.rows().map(|expert| norm(dot(expert, expert))).collect();
    let mut cosines = Vec::with_capacity(hidden.num_rows() * norms.len());
    for token in hidden.rows() {
        let projected: Vec<f64> = columns.rows().map(|column| dot(token, column)).collect();
        let length = norm(projected.iter().map(|h| h * h).sum());
        cosines.extend(embeddings.rows().zip(&norms).map(|(expert, of_expert)| {
            let product: f64 = projected.iter().zip(expert).map(|(h, &v)| h * f64::from(v)).sum();
            product / (length * of_expert)
        }));
    }
    Ok(computed_logits(embeddings.num_rows(), cosines))
}

/// Gate logits at a temperature, a number above 0: similarities over `temperature`.
pub fn logits(similarities: &GateLogits, temperature: f32) -> Result<GateLogits, InputError> {
    positive("temperature", temperature, "a finite number above 0, such as 0.3")?;
    let scaled = similarities.values().iter().map(|&cosine| f64::from(cosine) / f64::from(temperature));
    Ok(computed_logits(similarities.num_experts(), scaled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_does_not_matter_direction_does() {
        let identity = Matrix::new(2, vec![1.0, 0.0, 0.0, 1.0]);
        let embeddings = Matrix::new(2, vec![2.0, 0.0, 0.0, 0.5]);
        let check = |hidden: [f32; 2], expected: [f32; 2]| {
            let similarities = similarities(&Matrix::new(2, hidden.to_vec()), &identity, &embeddings).expect("finite");
            for (found, expected) in similarities.values().iter().zip(expected) {
                assert!((found - expected).abs() < 1e-6);
            }
        };
        check([3.0, 4.0], [0.6, 0.8]);
        check([-30.0, 40.0], [-0.6, 0.8]);
        check([0.0, 0.0], [0.0, 0.0]);
        check([3.0e38, -3.0e38], [0.5_f32.sqrt(), -0.5_f32.sqrt()]);
    }

    #[test]
    fn products_beyond_f32_have_a_direction_too() {
        let (one, huge) = (Matrix::new(1, vec![1.0, -2.0]), Matrix::new(1, vec![1e25]));
        let found = similarities(&Matrix::new(1, vec![1e15]), &huge, &one).expect("finite");
        assert_eq!(found.values(), [1.0, -1.0]);
        // At the lowest temperature there is, logits are as large as they can be.
        assert_eq!(logits(&found, 1e-45).expect("above 0").values(), [f32::MAX, f32::MIN]);
    }

    #[test]
    fn what_is_no_number_is_named() {
        let row = |values: [f32; 2]| Matrix::new(2, values.to_vec());
        let square = |value: f32| Matrix::new(2, vec![1.0, 0.0, value, 1.0]);
        let check = |hidden: &Matrix, projection: &Matrix, embeddings: &Matrix, message: &str| {
            let error = similarities(hidden, projection, embeddings).expect_err(message);
            assert_eq!(error.to_string(), message);
        };
        let (fine, nan) = (row([1.0, 2.0]), f32::NAN);
        check(&row([1.0, nan]), &square(0.0), &fine, "The hidden state at index 1 is NaN; allowed: a finite number.");
        let infinite = square(f32::INFINITY);
        check(&fine, &infinite, &fine, "The weight of the projection at index 2 is inf; allowed: a finite number.");
        let of_experts = "The number of the expert embeddings at index 0 is NaN; allowed: a finite number.";
        check(&fine, &square(0.0), &row([nan, 0.0]), of_experts);
        let three = Matrix::new(3, vec![0.0; 3]);
        check(&three, &square(0.0), &fine, "There are 3 columns of hidden states; allowed: 2.");
        check(&fine, &square(0.0), &three, "There are 3 columns of expert embeddings; allowed: 2.");
        let similarities = similarities(&fine, &square(0.0), &fine).expect("finite");
        for temperature in [0.0, -1.0, nan, f32::INFINITY] {
            let message = logits(&similarities, temperature).expect_err("no temperature").to_string();
            assert_eq!(
                message,
                format!("The temperature is {temperature}; allowed: a finite number above 0, such as 0.3.")
            );
        }
    }
}
