//! Correlation of two lists: of their values (Pearson) and of their ranks (Spearman 1904).

use crate::gate::sorted;

/// Spearman's rank correlation of two lists of the same length: Pearson's of their ranks, equal values sharing the mean of
/// theirs. From -1 to 1; 0 where either list is constant, has one entry or none.
///
/// ```
/// use moe_router::measure::spearman;
///
/// assert_eq!(spearman(&[1.0, 10.0, 100.0], &[0.1, 0.2, 0.3]), 1.0); // any rise is as good as another
/// // Ranks (1, 2, 3) and (1.5, 1.5, 3): deviations (-1, 0, 1) and (-0.5, -0.5, 1), 1.5 / √(2 · 1.5).
/// assert!((spearman(&[1.0, 2.0, 3.0], &[7.0, 7.0, 9.0]) - 0.75_f64.sqrt()).abs() < 1e-12);
/// ```
pub fn spearman(a: &[f64], b: &[f64]) -> f64 {
    pearson(&ranks(a), &ranks(b))
}

/// 0 where either list is constant.
pub(super) fn pearson(a: &[f64], b: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let deviations = || a.iter().map(|a| a - mean_a).zip(b.iter().map(|b| b - mean_b));
    let (squares_a, squares_b): (f64, f64) =
        deviations().fold((0.0, 0.0), |(sum_a, sum_b), (a, b)| (sum_a + a * a, sum_b + b * b));
    let length = (squares_a * squares_b).sqrt();
    if length == 0.0 { 0.0 } else { deviations().map(|(a, b)| a * b).sum::<f64>() / length }
}

/// Ranks from 1, ascending; equal values share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let order = sorted(values.len(), &|a, b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for equal in order.chunk_by(|&a, &b| values[a] == values[b]) {
        // Of ranks first + 1 to first + n.
        let mean = first as f64 + (equal.len() + 1) as f64 / 2.0;
        equal.iter().for_each(|&at| ranks[at] = mean);
        first += equal.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_share_ties() {
        assert_eq!(ranks(&[0.3, 0.1, 0.3, 0.2, 0.3]), [4.0, 1.0, 4.0, 2.0, 4.0]);
        assert_eq!(ranks(&[-0.0, 0.0]), [1.5, 1.5]);
    }

    #[test]
    fn rising_falling_and_nothing_to_say() {
        let check = |a: &[f64], b: &[f64], expected: f64| assert!((spearman(a, b) - expected).abs() < 1e-12);
        check(&[1.0, 2.0, 3.0, 4.0], &[4.0, 3.0, 2.0, 1.0], -1.0);
        // One exchange of neighbours: 1 - 6 · 2 / (4 · 15) = 0.8.
        check(&[1.0, 2.0, 3.0, 4.0], &[1.0, 3.0, 2.0, 4.0], 0.8);
        check(&[1.0, 2.0], &[5.0, 5.0], 0.0);
        check(&[1.0], &[2.0], 0.0);
        check(&[], &[], 0.0);
    }
}
