//! Representation collapse (X-MoE, Chi et al. 2022, arXiv:2204.09179, section 4.5, eq. 10; after Zhu et al. 2021): are
//! hidden states being pulled together by expert?
//!
//! Classes are first choices, on the hidden states that enter the gate. `Σ_W` is the covariance within classes, `Σ_B`
//! that of the class means; `RC = Tr(Σ_W Σ_B⁺)`. **Smaller is more collapsed.**
//! The paper leaves the weighting of classes open, as in its source all are of a size; both readings are here. `Σ_B` has
//! at most `classes - 1` dimensions, so RC sees the span of the class means only; its pseudo-inverse drops eigenvalues
//! below 1e-6 of the largest. Leave out classes of a single token when you estimate.

use crate::matrix::Matrix;
use crate::measure::symmetric::{Square, mean};

/// How classes count in the between-class covariance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassWeights {
    /// By their size, around the overall mean: within plus between is then the total covariance.
    BySize,
    /// All alike, around the mean of their means.
    Equal,
}

/// The measure and its parts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Collapse {
    /// `Tr(Σ_W Σ_B⁺)`.
    pub rc: f64,
    /// Variance within classes, `Tr(Σ_W)`.
    pub within: f64,
    /// Variance between classes, `Tr(Σ_B)`.
    pub between: f64,
    /// Dimensions the class means span.
    pub rank: usize,
    /// Classes that occur.
    pub num_classes: usize,
}

/// `hidden`: `[tokens, d_model]`, as they enter the gate. `classes`: `[tokens]`, the first choice of each.
pub fn representation_collapse(hidden: &Matrix, classes: &[u32], weights: ClassWeights) -> Collapse {
    let width = hidden.width();
    let mut present: Vec<u32> = classes.to_vec();
    present.sort_unstable();
    present.dedup();
    let members = |class: u32| hidden.rows().zip(classes).filter(move |(_, of)| **of == class).map(|(row, _)| row);
    let means: Vec<Vec<f64>> = present.iter().map(|&class| mean(members(class), width)).collect();

    let num_tokens = hidden.num_rows().max(1) as f64;
    let mut within = Square::zero(width);
    let mut between = Square::zero(width);
    let centre = match weights {
        ClassWeights::BySize => mean(hidden.rows(), width),
        ClassWeights::Equal => {
            let sum = |at: usize| means.iter().map(|mean| mean[at]).sum::<f64>();
            (0..width).map(|at| sum(at) / present.len().max(1) as f64).collect()
        }
    };
    for (&class, mean) in present.iter().zip(&means) {
        for row in members(class) {
            let deviation: Vec<f64> = row.iter().zip(mean).map(|(&x, mean)| f64::from(x) - mean).collect();
            within.add_outer(&deviation, 1.0 / num_tokens);
        }
        let deviation: Vec<f64> = mean.iter().zip(&centre).map(|(mean, centre)| mean - centre).collect();
        let share = match weights {
            ClassWeights::BySize => members(class).count() as f64 / num_tokens,
            ClassWeights::Equal => 1.0 / present.len() as f64,
        };
        between.add_outer(&deviation, share);
    }

    // Tr(W B⁺) = Σ_i vᵢᵀ W vᵢ / λᵢ over the eigenvectors of B that matter.
    let (eigenvalues, eigenvectors) = between.eigen();
    let largest = eigenvalues.iter().copied().fold(0.0, f64::max);
    let directions = || eigenvalues.iter().zip(&eigenvectors);
    let rc = directions().filter(|(value, _)| **value > 1e-6 * largest).map(|(value, v)| within.form(v) / value).sum();
    Collapse {
        rc,
        within: within.trace(),
        between: between.trace(),
        rank: directions().filter(|(value, _)| value.abs() > 1e-9).count(),
        num_classes: present.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variance_along_the_line_between_two_classes() {
        // Means (0, 0) and (4, 0), overall (2, 0): between = 4 along x. Within: 1 along x, 9 along y, of which only x
        // counts: RC = 1 / 4.
        let hidden = Matrix::new(2, vec![-1.0, 3.0, 1.0, -3.0, 3.0, 3.0, 5.0, -3.0]);
        for weights in [ClassWeights::BySize, ClassWeights::Equal] {
            let found = representation_collapse(&hidden, &[2, 2, 5, 5], weights);
            assert!((found.rc - 0.25).abs() < 1e-9, "{found:?}");
            assert!((found.within - 10.0).abs() < 1e-9 && (found.between - 4.0).abs() < 1e-9, "{found:?}");
            assert_eq!((found.rank, found.num_classes), (1, 2));
        }
    }

    #[test]
    fn one_class_spans_nothing() {
        let found = representation_collapse(&Matrix::new(1, vec![1.0, 2.0]), &[0, 0], ClassWeights::BySize);
        assert_eq!((found.rc, found.rank), (0.0, 0));
    }
}
