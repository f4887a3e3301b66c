//! Skywork-MoE's adaptive coefficient (Wei et al. 2024, arXiv:2406.06563, eq. 5-6): a layer that drops few tokens is
//! left in peace by its balance loss.
//!
//! Per layer and step, `α ← β α + (1 - β) · min(ξ d, α_max)` with the drop rate `d`, `ξ = 1/5`, `α_max = 0.01`, `β = 0.99`.
//!
//! Nothing is dropped: the balance loss fades out. One request in fifty: 0.02 / 5 = 0.004. One in five: the limit.
//!
//! ```
//! use moe_router::losses::{adapted_coefficient, target_coefficient};
//!
//! assert_eq!([0.0, 0.02, 0.2].map(target_coefficient), [0.0, 0.004, 0.01]);
//! let next = adapted_coefficient(0.001, 0.2); // 0.99 · 0.001 + 0.01 · 0.01
//! assert!((next - 0.00109).abs() < 1e-12);
//! ```

/// The coefficient a drop rate (0 to 1) calls for: a fifth of it, at most 0.01.
pub fn target_coefficient(drop_rate: f64) -> f64 {
    (drop_rate / 5.0).min(0.01)
}

/// The coefficient after a step, moved a hundredth of the way to the target.
pub fn adapted_coefficient(coefficient: f64, drop_rate: f64) -> f64 {
    0.99 * coefficient + 0.01 * target_coefficient(drop_rate)
}
