//! When routing was learned: comparing the same tokens' experts at two checkpoints, or across runs.
//!
//! Router saturation (OLMoE, arXiv:2409.02060, eq. 5), chance `k / E`; agreement of first choices, chance `1 / E`, whose
//! complement between consecutive checkpoints is X-MoE's routing fluctuation (arXiv:2204.09179, section 4.4); inter-run
//! consistency (same). Use the same evaluation tokens, without noise, and ignore capacity.

use crate::measure::correlation::pearson;

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

/// Routing fluctuation (X-MoE, section 4.4): part of the tokens whose first choice changed between two checkpoints. 0 for
/// no tokens. Both `[tokens, k]`.
///
/// ```
/// use moe_router::measure::routing_fluctuation;
///
/// // Top-1 of four tokens at two checkpoints: one of them has moved.
/// assert_eq!(routing_fluctuation(&[0, 1, 2, 0], &[0, 1, 3, 0], 1), 0.25);
/// ```
pub fn routing_fluctuation(experts: &[u32], earlier_experts: &[u32], k: usize) -> f64 {
    if experts.is_empty() { 0.0 } else { 1.0 - first_choice_agreement(experts, earlier_experts, k) }
}

/// Pearson correlation of two runs' loads, `[experts]` each. 0 where a load is even, which correlates with nothing.
pub fn load_correlation(load: &[f64], other_load: &[f64]) -> f64 {
    pearson(load, other_load)
}

/// Inter-run consistency (X-MoE, section 4.4): the mean of the correlations of all pairs of runs' loads, each run with
/// itself included, as the paper's matrix has it. `loads`: of each run, `[experts]`. So two runs without anything in
/// common have 0.5, not 0. 0 for no runs; an even load correlates with nothing, not even with itself.
///
/// ```
/// use moe_router::measure::inter_run_consistency;
///
/// // The third run prefers what the others avoid: (1 + 1 - 1 + 1 + 1 - 1 - 1 - 1 + 1) / 9.
/// let loads = [vec![3.0, 2.0, 1.0], vec![6.0, 4.0, 2.0], vec![1.0, 2.0, 3.0]];
/// assert!((inter_run_consistency(&loads) - 1.0 / 9.0).abs() < 1e-12);
/// ```
pub fn inter_run_consistency(loads: &[Vec<f64>]) -> f64 {
    let pairs = loads.iter().flat_map(|a| loads.iter().map(move |b| load_correlation(a, b)));
    pairs.sum::<f64>() / loads.len().pow(2).max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_checkpoints_by_hand() {
        // (0 1) against (1 0): all in common, another first choice; (2 3) against (2 0): half, the same first choice.
        assert_eq!(router_saturation(&[0, 1, 2, 3], &[1, 0, 2, 0], 2), 0.75);
        assert_eq!(first_choice_agreement(&[0, 1, 2, 3], &[1, 0, 2, 0], 2), 0.5);
        assert_eq!(routing_fluctuation(&[0, 1, 2, 3], &[1, 0, 2, 0], 2), 0.5);
        assert_eq!(routing_fluctuation(&[], &[], 2), 0.0);
    }

    #[test]
    fn loads_that_rise_together() {
        let check =
            |a: [f64; 3], b: [f64; 3], expected: f64| assert!((load_correlation(&a, &b) - expected).abs() < 1e-9);
        check([1.0, 2.0, 3.0], [10.0, 20.0, 30.0], 1.0);
        check([1.0, 2.0, 3.0], [3.0, 2.0, 1.0], -1.0);
        check([1.0, 2.0, 3.0], [5.0, 5.0, 5.0], 0.0);
        assert_eq!(inter_run_consistency(&[]), 0.0);
        assert_eq!(inter_run_consistency(&[vec![1.0, 2.0]]), 1.0);
        assert_eq!(inter_run_consistency(&[vec![2.0, 2.0], vec![2.0, 2.0]]), 0.0);
    }
}
