//! Which experts a task needs: task-specific pruning (Chen et al. 2022, arXiv:2206.00277).
//!
//! While fine-tuning, drop every so often the experts whose share of the load is below `β / E`; halfway, keep the most
//! used one ("most professional") and go on as a dense model. Known to us from a survey; `β = 0.5` is ours. The gate is
//! renormalised over those that remain.

/// Which experts stay, `[experts]`: those with at least `beta` times the mean load, and in any case the busiest.
pub fn kept_experts(load: &[u32], beta: f64) -> Vec<bool> {
    let mean = load.iter().copied().map(f64::from).sum::<f64>() / load.len().max(1) as f64;
    let busiest = most_professional(load);
    load.iter().enumerate().map(|(expert, &load)| expert == busiest || f64::from(load) >= beta * mean).collect()
}

/// The expert with the largest load; of equals the first.
pub fn most_professional(load: &[u32]) -> usize {
    crate::gate::top_k(load, 1).first().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_experts_go() {
        // The mean is 1.5, so an expert needs a load of 0.75.
        assert_eq!(kept_experts(&[4, 0, 1, 1], 0.5), [true, false, true, true]);
        assert_eq!(kept_experts(&[4, 0, 1, 1], 9.0), [true, false, false, false]);
        assert_eq!(most_professional(&[1, 3, 3]), 1);
    }
}
