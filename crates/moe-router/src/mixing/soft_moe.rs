//! Soft MoE (Puigcerver et al. 2023, arXiv:2308.00951, section 2.1): every slot of every expert processes a blend of all
//! tokens, and every token receives a blend of all slots.
//!
//! `L = scale · l2norm(X) · l2norm(Φ)`; dispatch `D` is softmax over tokens, combine `C` softmax over slots; slot inputs
//! are `Dᵀ X` (of the unnormalised `X`), the output is `C Ỹ`. No capacity, no drops, no loss, the same in training and
//! inference. `round(T / E)` slots per expert cost as much as a dense layer.
//! Not causal: every slot has seen every token. Padding gets no share of any slot (ours; images have none).
//! Mixture of Tokens blends tokens of different texts at the same position instead: causal, but never alone.
//!
//! Two tokens, two slots, logits (0, ln 3) and (0, 0). A column of `D` says what a slot is made of, a row of `C` whose
//! output a token gets: slot 1 sees 3/4 of token 0 and 1/4 of token 1, and token 0 receives 1/4 of slot 0 and 3/4 of
//! slot 1.
//!
//! ```
//! use moe_router::{example::assert_close, matrix::Matrix};
//! use moe_router::mixing::soft_moe::{combine_weights, dispatch_weights, output, slot_inputs};
//!
//! let logits = Matrix::new(2, vec![0.0, 3_f32.ln(), 0.0, 0.0]);
//! let (dispatch, combine) = (dispatch_weights(&logits, &[]), combine_weights(&logits));
//! assert_close(dispatch.values(), &[0.5, 0.75, 0.5, 0.25]);
//! assert_close(combine.values(), &[0.25, 0.75, 0.5, 0.5]);
//! let slots = slot_inputs(&dispatch, &Matrix::new(2, vec![1.0, 0.0, 3.0, 8.0])); // tokens (1, 0) and (3, 8)
//! assert_close(slots.values(), &[2.0, 4.0, 1.5, 2.0]);
//! let outputs = Matrix::new(2, vec![4.0, 8.0, -1.5, -2.0]); // expert 0 doubles, expert 1 turns the sign
//! assert_close(output(&combine, &outputs).values(), &[-0.125, 0.5, 1.25, 3.0]); // (4 - 3 · 1.5) / 4 = -0.125
//! ```

use moe_trace::MixerSpec;

use crate::gate::softmax;
use crate::matrix::{Matrix, dot};
use crate::rule::{Argument, Explained, Family, Form, Mixes, Rule, Run, own};
use crate::spec_error::SpecError;

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "soft_moe",
    title: "Soft MoE",
    one_line: "Every slot processes a blend of all tokens, every token receives one of all slots.",
    family: Family::TokenMerging,
    paper: "Puigcerver et al. 2023, arXiv:2308.00951",
    equation: Some("section 2.1"),
    needs: "cosine logits of tokens and slots, a column per slot",
    trained_with: "one slot per expert, as many slots as tokens",
    at_inference: "the same",
    run: Run::Mixes(Mixes {
        form: Form {
            arguments: &[Argument::count("slots").optional()],
            example: "soft_moe:1",
            read: |given| Some(MixerSpec::SoftMoe { slots: given.count("slots").unwrap_or(1) }),
            print: own!(MixerSpec::SoftMoe { slots } => vec![("slots", slots.into())]),
        },
        check: own!(MixerSpec::SoftMoe { slots }, num_columns => {
            let slots = slots as usize;
            let divides = slots > 0 && num_columns.is_multiple_of(slots);
            if divides { Ok(()) } else { Err(SpecError::UnevenSlots { slots, num_columns }) }
        }),
        looks_ahead: true,
    }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "S = Dᵀ · X, Y = C · FFN(S), D softmax over tokens, C over slots",
    text: "Nothing is chosen at all: each slot of an expert gets a blend of all tokens, and each token a blend of \
           all slots' outputs. Every step has a gradient and every expert is equally busy. Each slot has seen every \
           token, so it does not work while text is written.",
};

/// Logits of tokens and slots, `[tokens, slots]`: cosines times `scale` (learned, 1 at first).
///
/// `hidden`: `[tokens, d_model]`. `slot_vectors`: `[d_model, experts · slots per expert]`.
pub fn logits(hidden: &Matrix, slot_vectors: &Matrix, scale: f32) -> Matrix {
    let slots = unit_rows(&slot_vectors.transposed()).transposed();
    let cosines = unit_rows(hidden).times(&slots);
    let scaled = cosines.values().iter().map(|&cosine| f64::from(cosine) * f64::from(scale));
    Matrix::rounded(cosines.width(), scaled)
}

/// Rows divided by their length; 1e-6 inside the square root keeps zero rows zero.
fn unit_rows(matrix: &Matrix) -> Matrix {
    let unit = matrix.rows().flat_map(|row| {
        let length = (dot(row, row) + 1e-6).sqrt();
        row.iter().map(move |&value| f64::from(value) / length)
    });
    Matrix::rounded(matrix.width(), unit)
}

/// `D`, `[tokens, slots]`: each column a distribution over tokens.
///
/// `is_padding`: `[tokens]`, or empty for none.
pub fn dispatch_weights(logits: &Matrix, is_padding: &[bool]) -> Matrix {
    let is_real = |token: usize| !is_padding.get(token).copied().unwrap_or(false);
    let real: Vec<usize> = (0..logits.num_rows()).filter(|&token| is_real(token)).collect();
    let mut weights = vec![0.0; logits.values().len()];
    for (slot, column) in logits.transposed().rows().enumerate() {
        let of_real: Vec<f32> = real.iter().map(|&token| column[token]).collect();
        for (token, weight) in real.iter().zip(softmax(&of_real)) {
            weights[token * logits.width() + slot] = weight;
        }
    }
    Matrix::rounded(logits.width(), weights)
}

/// `C`, `[tokens, slots]`: each row a distribution over slots.
pub fn combine_weights(logits: &Matrix) -> Matrix {
    Matrix::rounded(logits.width(), logits.rows().flat_map(softmax))
}

/// What the experts are given, `[slots, d_model]`.
pub fn slot_inputs(dispatch_weights: &Matrix, hidden: &Matrix) -> Matrix {
    dispatch_weights.transposed().times(hidden)
}

/// The layer's output, `[tokens, d_model]`, from what the experts made of their slots, `[slots, d_model]`.
pub fn output(combine_weights: &Matrix, slot_outputs: &Matrix) -> Matrix {
    combine_weights.times(slot_outputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_share_out_tokens_and_tokens_share_out_slots() {
        let hidden = Matrix::new(2, vec![3.0, 4.0, 0.0, 2.0, 1.0, 0.0]);
        let slots = Matrix::new(2, vec![1.0, 0.0, 0.0, 5.0]);
        let logits = logits(&hidden, &slots, 1.0);
        for (found, expected) in logits.values().iter().zip([0.6, 0.8, 0.0, 1.0, 1.0, 0.0]) {
            assert!((found - expected).abs() < 1e-5);
        }
        let dispatch = dispatch_weights(&logits, &[]);
        assert!(dispatch.transposed().rows().all(|slot| (slot.iter().sum::<f32>() - 1.0).abs() < 1e-6));
        let combine = combine_weights(&logits);
        assert!(combine.rows().all(|token| (token.iter().sum::<f32>() - 1.0).abs() < 1e-6));
        // Identity experts: the output blends inputs, twice.
        let output = output(&combine, &slot_inputs(&dispatch, &hidden));
        assert_eq!((output.num_rows(), output.width()), (3, 2));
    }

    #[test]
    fn padding_is_in_no_slot() {
        let logits = Matrix::new(1, vec![9.0, 0.0, 0.0]);
        assert_eq!(dispatch_weights(&logits, &[true]).values(), [0.0, 0.5, 0.5]);
    }
}
