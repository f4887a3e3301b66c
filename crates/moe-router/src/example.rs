//! The running example of these docs: six tokens, four experts, three hidden dimensions.
//!
//! A gate is one matrix product and a softmax per token. These are its numbers; a worked number elsewhere in this crate
//! is made of them unless it brings its own. The columns of `z` and `p` are experts 0 to 3.
//!
//! | token | hidden state `x` | gate logits `z = x W_g` | gate probabilities `p = softmax(z)` |
//! |---|---|---|---|
//! | 0 | 1.0, 0.5, -0.5 | 1.85, 0.65, -1.05, -0.60 | **0.6932**, 0.2088, 0.0381, 0.0598 |
//! | 1 | 0.8, 1.0, 0.0 | 1.50, 1.16, -0.60, -0.72 | **0.5147**, 0.3664, 0.0630, 0.0559 |
//! | 2 | 1.2, -0.4, 0.6 | 1.44, -0.10, 0.02, 0.80 | **0.5042**, 0.1081, 0.1219, 0.2659 |
//! | 3 | -0.6, 0.9, 1.1 | -1.07, 0.89, 1.11, -0.12 | 0.0512, 0.3635, **0.4529**, 0.1324 |
//! | 4 | 0.9, 0.2, -1.0 | 1.81, 0.28, -1.39, -0.67 | **0.7457**, 0.1615, 0.0304, 0.0624 |
//! | 5 | 0.5, -1.2, 0.4 | 0.23, -1.06, 0.35, 1.25 | 0.1932, 0.0532, 0.2178, **0.5358** |
//!
//! Token 4 is the most confident. Four of six tokens want expert 0 first, and nobody wants expert 1 first: what a rule
//! makes of that crowd is what sets the rules apart.
//!
//! ```
//! use moe_router::example::{self, assert_close};
//!
//! let logits = example::hidden().times(&example::gate_weights()); // [6, 3] · [3, 4] = [6, 4]
//! assert_close(logits.row(0), &[1.85, 0.65, -1.05, -0.60]);
//! let probs = moe_router::gate_probs(&example::gate_logits());
//! assert_close(&probs[..4], &[0.6932, 0.2088, 0.0381, 0.0598]); // exp(1.85) / (exp(1.85) + … + exp(-0.60))
//! ```

use moe_trace::GateLogits;

use crate::matrix::Matrix;
use crate::request::Request;

/// Hidden states `x`, `[6, 3]`.
pub fn hidden() -> Matrix {
    let rows =
        [[1.0, 0.5, -0.5], [0.8, 1.0, 0.0], [1.2, -0.4, 0.6], [-0.6, 0.9, 1.1], [0.9, 0.2, -1.0], [0.5, -1.2, 0.4]];
    Matrix::new(3, rows.as_flattened().to_vec())
}

/// Weights of the linear gate `W_g`, `[3, 4]`.
pub fn gate_weights() -> Matrix {
    let rows = [[1.5, 0.2, -0.5, 0.1], [0.3, 1.0, -0.2, -0.8], [-0.4, 0.1, 0.9, 0.6]];
    Matrix::new(4, rows.as_flattened().to_vec())
}

/// Gate logits `z = x W_g`, `[6, 4]`.
pub fn gate_logits() -> GateLogits {
    let rows = [
        [1.85, 0.65, -1.05, -0.60],
        [1.50, 1.16, -0.60, -0.72],
        [1.44, -0.10, 0.02, 0.80],
        [-1.07, 0.89, 1.11, -0.12],
        [1.81, 0.28, -1.39, -0.67],
        [0.23, -1.06, 0.35, 1.25],
    ];
    GateLogits::new(4, rows.as_flattened().to_vec()).expect("six rows of four")
}

/// The experts that are asked, request by request.
pub fn experts(requests: &[Request]) -> Vec<u32> {
    requests.iter().map(|request| request.expert.0).collect()
}

/// The weights, request by request.
pub fn weights(requests: &[Request]) -> Vec<f32> {
    requests.iter().map(|request| request.weight).collect()
}

/// Panics unless as many numbers were found as expected, and each is within 1e-4: worked numbers have four decimals.
pub fn assert_close(found: &[impl Copy + Into<f64>], expected: &[f64]) {
    let found: Vec<f64> = found.iter().map(|&value| value.into()).collect();
    let is_close = |(found, expected): (&f64, &f64)| (found - expected).abs() < 1e-4;
    let all_close = found.len() == expected.len() && found.iter().zip(expected).all(is_close);
    assert!(all_close, "{found:.4?} should be {expected:?}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logits_are_those_of_the_gate() {
        let expected: Vec<f64> = gate_logits().values().iter().map(|&z| f64::from(z)).collect();
        assert_close(hidden().times(&gate_weights()).values(), &expected);
    }
}
