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
//! let cosines = cosine::similarities(&example::hidden(), &projection, &embeddings);
//! assert_close(cosines.row(0), &[0.6551, 0.6880, -0.6168, -0.8588]);
//! assert_close(&softmax(cosine::logits(&cosines, 0.3).row(0)), &[0.4680, 0.5222, 0.0067, 0.0030]);
//! let longer = Matrix::new(3, vec![10.0, 5.0, -5.0]);
//! assert_close(cosine::similarities(&longer, &projection, &embeddings).row(0), &[0.6551, 0.6880, -0.6168, -0.8588]);
//! ```

use moe_trace::GateLogits;

use crate::gate::computed_logits;
use crate::matrix::{Matrix, dot};

/// Norms are at least this, so that a zero vector is unlike everything (ours).
const LEAST_NORM: f64 = 1e-12;

/// Cosines of every projected token with every expert, `[tokens, experts]`.
///
/// `hidden`: `[tokens, d_model]`. `projection`: `[d_model, d_routing]`. `embeddings`: `[experts, d_routing]`.
pub fn similarities(hidden: &Matrix, projection: &Matrix, embeddings: &Matrix) -> GateLogits {
    let projected = hidden.times(projection);
    let norm = |vector: &[f32]| dot(vector, vector).sqrt().max(LEAST_NORM);
    let cosines = projected
        .rows()
        .flat_map(|token| embeddings.rows().map(move |expert| dot(token, expert) / (norm(token) * norm(expert))));
    computed_logits(embeddings.num_rows(), cosines)
}

/// Gate logits at a temperature: similarities over `temperature`.
pub fn logits(similarities: &GateLogits, temperature: f32) -> GateLogits {
    let scaled = similarities.values().iter().map(|&cosine| f64::from(cosine) / f64::from(temperature));
    computed_logits(similarities.num_experts(), scaled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_does_not_matter_direction_does() {
        let identity = Matrix::new(2, vec![1.0, 0.0, 0.0, 1.0]);
        let embeddings = Matrix::new(2, vec![2.0, 0.0, 0.0, 0.5]);
        let check = |hidden: [f32; 2], expected: [f32; 2]| {
            let similarities = similarities(&Matrix::new(2, hidden.to_vec()), &identity, &embeddings);
            for (found, expected) in similarities.values().iter().zip(expected) {
                assert!((found - expected).abs() < 1e-6);
            }
        };
        check([3.0, 4.0], [0.6, 0.8]);
        check([-30.0, 40.0], [-0.6, 0.8]);
        check([0.0, 0.0], [0.0, 0.0]);
    }
}
