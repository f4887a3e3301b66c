//! Counts per expert, and how uneven they are.

use moe_trace::{Assignment, Fate, Routing};

/// Requests that reached each expert's door, kept or lost: `[experts]`.
pub fn demand(routing: &Routing) -> Vec<u32> {
    count(routing, |assignment| assignment.fate.is_demand())
}

/// Requests each expert served: `[experts]`.
pub fn load(routing: &Routing) -> Vec<u32> {
    count(routing, |assignment| assignment.fate.is_kept())
}

/// Requests each expert turned away: `[experts]`. Demand minus load.
pub fn overflow(routing: &Routing) -> Vec<u32> {
    count(routing, |assignment| assignment.fate == Fate::Lost)
}

fn count(routing: &Routing, counts: impl Fn(&Assignment) -> bool) -> Vec<u32> {
    let mut per_expert = vec![0; routing.num_experts as usize];
    for assignment in routing.assignments.iter().filter(|assignment| counts(assignment)) {
        per_expert[assignment.expert.index()] += 1;
    }
    per_expert
}

/// Sum of the kept weights per expert: `[experts]`.
pub fn importance(routing: &Routing) -> Vec<f64> {
    let mut per_expert = vec![0.0; routing.num_experts as usize];
    for assignment in routing.assignments.iter().filter(|assignment| assignment.fate.is_kept()) {
        per_expert[assignment.expert.index()] += f64::from(assignment.weight);
    }
    per_expert
}

/// Squared coefficient of variation: population variance over squared mean. 0 for values whose mean is 0.
pub fn squared_variation(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    if values.is_empty() || mean == 0.0 {
        return 0.0;
    }
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
    variance / mean.powi(2)
}

/// Coefficient of variation of a demand, `[experts]`: population standard deviation over mean. 0 when even, or empty.
pub fn demand_cv(demand: &[u32]) -> f64 {
    let demand: Vec<f64> = demand.iter().copied().map(f64::from).collect();
    squared_variation(&demand).sqrt()
}

/// The busiest expert's demand over the mean demand: 1 when even; 0 when nobody asked.
pub fn max_over_mean(demand: &[u32]) -> f64 {
    let total: f64 = demand.iter().copied().map(f64::from).sum();
    let largest = demand.iter().copied().max().unwrap_or(0);
    if total == 0.0 { 0.0 } else { f64::from(largest) * demand.len() as f64 / total }
}

/// How many experts a layer works with: `exp` of the entropy of their parts of the demand, `[experts]`; all of them when
/// even, 1 where all requests are one expert's, 0 when nobody asked.
pub fn effective_experts(demand: &[u32]) -> f64 {
    let total: f64 = demand.iter().copied().map(f64::from).sum();
    let parts = demand.iter().filter(|&&asked| asked > 0).map(|&asked| f64::from(asked) / total);
    if total == 0.0 { 0.0 } else { parts.map(|part| -part * part.ln()).sum::<f64>().exp() }
}

/// MaxVio of loss-free balancing (Wang et al. 2024, arXiv:2408.15664): by how much the busiest expert exceeds the mean,
/// relative to the mean. 0 when even, and when nobody asked.
pub fn max_violation(demand: &[u32]) -> f64 {
    (max_over_mean(demand) - 1.0).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unevenness_by_hand() {
        let check = |demand: &[u32], cv: f64, max: f64, violation: f64| {
            let found = [demand_cv(demand), max_over_mean(demand), max_violation(demand)];
            let expected = [cv, max, violation];
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4), "{found:?} for {expected:?}");
        };
        check(&[4, 0, 1, 1], 1.0, 2.6667, 1.6667);
        check(&[4, 4, 2, 2], 0.3333, 1.3333, 0.3333);
        check(&[4, 1, 2, 2], 0.4843, 1.7778, 0.7778);
        check(&[3, 3], 0.0, 1.0, 0.0);
        check(&[0, 0], 0.0, 0.0, 0.0);
    }

    #[test]
    fn effective_experts_by_hand() {
        let check = |demand: &[u32], expected: f64| assert!((effective_experts(demand) - expected).abs() < 1e-9);
        check(&[3, 3, 3], 3.0);
        check(&[0, 5, 0], 1.0);
        check(&[4, 4, 0, 0], 2.0);
        // exp(½ ln 2 + 2 · ¼ ln 4) = 2^1.5
        check(&[2, 1, 1], 8.0_f64.sqrt());
        check(&[0, 0], 0.0);
    }

    #[test]
    fn squared_variation_by_hand() {
        let check = |values: &[f64], expected: f64| assert!((squared_variation(values) - expected).abs() < 1e-9);
        check(&[2.0, 2.0], 0.0);
        // Mean 1.5, deviations 2.5, 1.5, 0.5, 0.5: variance (6.25 + 2.25 + 0.25 + 0.25) / 4 = 2.25.
        check(&[4.0, 0.0, 1.0, 1.0], 1.0);
        check(&[0.0, 0.0], 0.0);
        check(&[], 0.0);
    }
}
