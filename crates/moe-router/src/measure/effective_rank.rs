//! Effective rank of hidden states: in how many directions do they really spread?
//!
//! `exp(-Σ_i p_i ln p_i)` with `p_i = λ_i / Σ λ`, the eigenvalues of the covariance of the hidden states (Roy and Vetterli
//! 2007, who take singular values). Between 1, all on one line, and the number of dimensions, alike in all of them. Shown
//! beside [`representation_collapse`](super::representation_collapse): collapsing states lose rank. Needs more tokens than
//! dimensions, or their number is the limit.

use crate::matrix::Matrix;
use crate::measure::symmetric::{Square, mean};

/// `hidden`: `[tokens, d_model]`, as they enter the gate. 0 where all tokens are the same, or there are none.
///
/// ```
/// use moe_router::matrix::Matrix;
/// use moe_router::measure::effective_rank;
///
/// // Variance 4 along x, 1 along y: p = (0.8, 0.2), and exp(0.8 ln 1.25 + 0.2 ln 5) = 1.6494.
/// let hidden = Matrix::new(2, vec![2.0, 1.0, 2.0, -1.0, -2.0, 1.0, -2.0, -1.0]);
/// assert!((effective_rank(&hidden) - 1.6494).abs() < 1e-4);
/// ```
pub fn effective_rank(hidden: &Matrix) -> f64 {
    let centre = mean(hidden.rows(), hidden.width());
    let mut covariance = Square::zero(hidden.width());
    for row in hidden.rows() {
        let deviation: Vec<f64> = row.iter().zip(&centre).map(|(&x, mean)| f64::from(x) - mean).collect();
        covariance.add_outer(&deviation, 1.0 / hidden.num_rows() as f64);
    }
    let (eigenvalues, _) = covariance.eigen();
    // Rounding may leave a little less than nothing.
    let total: f64 = eigenvalues.iter().map(|value| value.max(0.0)).sum();
    if total == 0.0 {
        return 0.0;
    }
    let shares = eigenvalues.iter().map(|value| value / total).filter(|&share| share > 0.0);
    shares.map(|share| -share * share.ln()).sum::<f64>().exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(width: usize, values: &[f32], expected: f64) {
        let found = effective_rank(&Matrix::new(width, values.to_vec()));
        assert!((found - expected).abs() < 1e-6, "{found} for {expected}");
    }

    #[test]
    fn a_line_a_cross_and_nothing() {
        check(2, &[0.0, 0.0, 1.0, 2.0, 2.0, 4.0], 1.0);
        check(2, &[1.0, 0.0, -1.0, 0.0, 0.0, 1.0, 0.0, -1.0], 2.0);
        check(2, &[3.0, 4.0, 3.0, 4.0], 0.0);
        check(2, &[3.0, 4.0], 0.0);
        check(2, &[], 0.0);
    }

    #[test]
    fn hidden_states_of_the_running_example() {
        // Eigenvalues 0.701249, 0.604535 and 0.118660, computed apart.
        let hidden = [
            1.0, 0.5, -0.5, 0.8, 1.0, 0.0, 1.2, -0.4, 0.6, //
            -0.6, 0.9, 1.1, 0.9, 0.2, -1.0, 0.5, -1.2, 0.4,
        ];
        check(3, &hidden, 2.5084161261);
    }
}
