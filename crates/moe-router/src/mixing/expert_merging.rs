//! Merged experts: average the experts' *weights*, and run the one expert that results.
//!
//! `θ = Σ_e r_e θ_e` for every weight and bias. Where the shares `r` come from is what tells the rules apart:
//! [`smear`](super::smear), [`meo`](super::meo), [`lory`](super::lory). Cost: one expert per token, plus merging. Merging
//! weights is not mixing outputs, because experts are not linear. No choice, no balance loss; the same in training and
//! inference. Causal or not as the shares are.
//!
//! Two experts of two parameters each, a quarter of the first and three quarters of the second:
//!
//! ```
//! use moe_router::{matrix::Matrix, mixing::expert_merging};
//!
//! let experts = Matrix::new(2, vec![1.0, 0.0, 0.0, 2.0]);
//! let route = Matrix::new(2, vec![0.25, 0.75]);
//! let merged = expert_merging::merged(&route, &experts);
//! assert_eq!(merged.values(), [0.25, 1.5]);
//! // Where it matters that experts bend: relu(3 · 0.25 - 1.5) = 0, while the outputs' mix is 0.25 · relu(3) + 0.75 · 0.
//! let expert = |weight_and_bias: &[f32]| (3.0 * weight_and_bias[0] - weight_and_bias[1]).max(0.0);
//! assert_eq!(expert(merged.row(0)), 0.0);
//! assert_eq!(0.25 * expert(experts.row(0)) + 0.75 * expert(experts.row(1)), 0.75);
//! ```

use crate::matrix::Matrix;

/// The merged parameters of every sequence, `[sequences, parameters]`.
///
/// `route`: `[sequences, experts]`, rows of softmax. `experts`: `[experts, parameters]`, all weights and biases of each.
pub fn merged(route: &Matrix, experts: &Matrix) -> Matrix {
    route.times(experts)
}
