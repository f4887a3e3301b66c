//! LoRAMoE's localized balancing (Dou et al. 2024, arXiv:2312.09979, eq. 6-8): balance within each kind of expert.
//!
//! Experts are of a type (say, world knowledge or the task at hand), and so are samples. An expert's importance for a
//! sample counts `1 + δ` where the types agree and `1 - δ` where not; the loss is the variation of these numbers.
//! Deviation between sources: the paper divides the variance by the mean, the released code the unbiased variance by the
//! squared mean plus 1e-10. Both are here.
//!
//! Two samples, four experts; the first two experts and the first sample are of type 0, and `δ` is 0.1: what the first
//! sample gives to expert 0 counts 2.0 · 1.1, what it gives to expert 2 counts 0.6 · 0.9.
//!
//! ```
//! use moe_router::{example::assert_close, losses::localized_balance};
//!
//! let importance = [2.0, 1.0, 0.6, 0.4, 0.5, 0.7, 1.6, 1.2];
//! let balance = localized_balance(&importance, &[0, 0, 1, 1], &[0, 1], 0.1);
//! assert_close(&balance.weighted_importance, &[2.20, 1.10, 0.54, 0.36, 0.45, 0.63, 1.76, 1.32]);
//! assert_close(&[balance.paper, balance.code], &[0.3797, 0.4153]);
//! ```

/// Weighted importances `Z` and the two losses made of them.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalizedBalance {
    /// `Z`, `[samples, experts]`.
    pub weighted_importance: Vec<f64>,
    /// `var(Z) / mean(Z)`, as the paper has it.
    pub paper: f64,
    /// `var(Z) / (mean(Z)² + 1e-10)` with the unbiased variance, as the code has it.
    pub code: f64,
}

/// `importance`: `[samples, experts]`, gate weights summed over a sample's tokens. `expert_type`: `[experts]`.
/// `sample_type`: `[samples]`. `delta`: 0 to 1. Both losses are 0 where no importance was given to anyone, and the code's
/// where there is one number only, which varies from nothing.
pub fn localized_balance(
    importance: &[f32],
    expert_type: &[usize],
    sample_type: &[usize],
    delta: f32,
) -> LocalizedBalance {
    let rows = importance.chunks(expert_type.len()).zip(sample_type);
    let weighted = rows.flat_map(|(row, sample)| {
        row.iter().zip(expert_type).map(move |(&value, expert)| {
            let sign = if expert == sample { 1.0 } else { -1.0 };
            f64::from(value) * (1.0 + sign * f64::from(delta))
        })
    });
    let weighted_importance: Vec<f64> = weighted.collect();
    let count = weighted_importance.len() as f64;
    let mean = weighted_importance.iter().sum::<f64>() / count.max(1.0);
    let squares: f64 = weighted_importance.iter().map(|value| (value - mean).powi(2)).sum();
    let paper = if mean > 0.0 { squares / count / mean } else { 0.0 };
    let code = squares / (count - 1.0).max(1.0) / (mean * mean + 1e-10);
    LocalizedBalance { weighted_importance, paper, code }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_and_one_alone() {
        let check = |importance: &[f32], samples: &[usize]| {
            let found = localized_balance(importance, &[0], samples, 0.1);
            assert_eq!((found.paper, found.code), (0.0, 0.0));
        };
        check(&[], &[]);
        check(&[0.7], &[0]);
        check(&[0.0, 0.0], &[0, 0]);
    }
}
