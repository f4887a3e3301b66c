//! Skywork-MoE's adaptive coefficient (Wei et al. 2024, arXiv:2406.06563, eq. 5-6): a layer that drops few tokens is
//! left in peace by its balance loss.
//!
//! Per layer and step, `α ← β α + (1 - β) · min(ξ d, α_max)` with the drop rate `d`, `ξ = 1/5`, `α_max = 0.01`, `β = 0.99`.

/// The coefficient a drop rate (0 to 1) calls for: a fifth of it, at most 0.01.
pub fn target_coefficient(drop_rate: f64) -> f64 {
    (drop_rate / 5.0).min(0.01)
}

/// The coefficient after a step, moved a hundredth of the way to the target.
pub fn adapted_coefficient(coefficient: f64, drop_rate: f64) -> f64 {
    0.99 * coefficient + 0.01 * target_coefficient(drop_rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coefficients_of_three_drop_rates() {
        let check = |drop_rate: f64, expected: f64| assert!((target_coefficient(drop_rate) - expected).abs() < 1e-12);
        check(0.0, 0.0);
        check(0.02, 0.004);
        check(0.2, 0.01);
        assert!((adapted_coefficient(0.001, 0.2) - 0.00109).abs() < 1e-12);
    }
}
