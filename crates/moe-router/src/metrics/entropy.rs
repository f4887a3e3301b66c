//! How undecided the gate is: entropy of its probabilities, in nats.

/// Mean over tokens of `-Σ_e p ln p`, in nats: 0 where the gate is certain, `ln E` where it does not care.
///
/// `gate_probs`: `[tokens, experts]`, row-major.
pub fn entropy_mean(gate_probs: &[f32], num_experts: usize) -> f64 {
    let entropies = gate_probs.chunks(num_experts).map(entropy);
    entropies.sum::<f64>() / (gate_probs.len() / num_experts).max(1) as f64
}

/// The mean entropy over `ln E`, between 0 and 1; 0 for a single expert, where there is nothing to decide.
pub fn entropy_normalised(gate_probs: &[f32], num_experts: usize) -> f64 {
    if num_experts < 2 { 0.0 } else { entropy_mean(gate_probs, num_experts) / (num_experts as f64).ln() }
}

/// Entropy of one distribution, `[experts]`, in nats. An impossible expert contributes 0.
pub fn entropy(probs: &[f32]) -> f64 {
    let terms = probs.iter().map(|&p| f64::from(p)).filter(|&p| p > 0.0).map(|p| -p * p.ln());
    terms.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certain_undecided_and_the_running_example() {
        let check = |gate_probs: &[f32], num_experts: usize, mean: f64, normalised: f64| {
            assert!((entropy_mean(gate_probs, num_experts) - mean).abs() < 1e-4);
            assert!((entropy_normalised(gate_probs, num_experts) - normalised).abs() < 1e-4);
        };
        check(&[1.0, 0.0, 0.0, 1.0], 2, 0.0, 0.0);
        check(&[0.25; 4], 4, 4.0_f64.ln(), 1.0);
        check(&[0.5, 0.5, 1.0, 0.0], 2, 0.5 * 2.0_f64.ln(), 0.5);
        check(&[1.0, 1.0], 1, 0.0, 0.0);
        check(&crate::gate_probs(&crate::example::gate_logits()), 4, 1.0321, 0.7445);
    }
}
