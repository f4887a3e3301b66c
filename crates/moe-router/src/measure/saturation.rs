//! When routing was learned: comparing the same tokens' experts at two checkpoints, or across runs.
//!
//! Router saturation (OLMoE, arXiv:2409.02060, eq. 5), chance `k / E`; agreement of first choices, chance `1 / E`, whose
//! complement between consecutive checkpoints is X-MoE's routing fluctuation (arXiv:2204.09179, section 4.4); inter-run
//! consistency (same). Use the same evaluation tokens, without noise, and ignore capacity.

/// Mean over tokens of the part of its `k` experts that a token has in both. Both `[tokens, k]`.
pub fn router_saturation(experts: &[u32], final_experts: &[u32], k: usize) -> f64 {
    let tokens = experts.chunks(k).zip(final_experts.chunks(k));
    let common = tokens.map(|(now, last)| now.iter().filter(|expert| last.contains(expert)).count());
    common.sum::<usize>() as f64 / experts.len().max(1) as f64
}

/// Part of the tokens with the same first choice in both. Both `[tokens, k]`.
pub fn first_choice_agreement(experts: &[u32], other_experts: &[u32], k: usize) -> f64 {
    let tokens = experts.chunks(k).zip(other_experts.chunks(k));
    let same = tokens.filter(|(one, other)| one[0] == other[0]).count();
    same as f64 * k as f64 / experts.len().max(1) as f64
}

/// Pearson correlation of two runs' loads, `[experts]` each. X-MoE's inter-run consistency is its mean over all pairs of
/// runs, each with itself included. 0 where a load is even, which correlates with nothing.
pub fn load_correlation(load: &[f64], other_load: &[f64]) -> f64 {
    let mean = |load: &[f64]| load.iter().sum::<f64>() / load.len() as f64;
    let (mean_a, mean_b) = (mean(load), mean(other_load));
    let deviations = || load.iter().map(|a| a - mean_a).zip(other_load.iter().map(|b| b - mean_b));
    let (squares_a, squares_b): (f64, f64) =
        deviations().fold((0.0, 0.0), |(sum_a, sum_b), (a, b)| (sum_a + a * a, sum_b + b * b));
    let length = (squares_a * squares_b).sqrt();
    if length == 0.0 { 0.0 } else { deviations().map(|(a, b)| a * b).sum::<f64>() / length }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_checkpoints_by_hand() {
        // (0 1) against (1 0): all in common, another first choice; (2 3) against (2 0): half, the same first choice.
        assert_eq!(router_saturation(&[0, 1, 2, 3], &[1, 0, 2, 0], 2), 0.75);
        assert_eq!(first_choice_agreement(&[0, 1, 2, 3], &[1, 0, 2, 0], 2), 0.5);
    }

    #[test]
    fn loads_that_rise_together() {
        let check =
            |a: [f64; 3], b: [f64; 3], expected: f64| assert!((load_correlation(&a, &b) - expected).abs() < 1e-9);
        check([1.0, 2.0, 3.0], [10.0, 20.0, 30.0], 1.0);
        check([1.0, 2.0, 3.0], [3.0, 2.0, 1.0], -1.0);
        check([1.0, 2.0, 3.0], [5.0, 5.0, 5.0], 0.0);
    }
}
