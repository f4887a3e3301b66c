//! How a model is trained, as numbers.

use moe_trace::training::WeightedLoss;

/// Everything about a run that the learner needs to know.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// Of initial weights, windows and draws.
    pub seed: u64,
    /// Optimiser steps, over which the learning rate falls; `usize::MAX` where it stays.
    pub steps: usize,
    /// Highest learning rate.
    pub learning_rate: f64,
    /// Steps until the learning rate is at its highest.
    pub warm_up: usize,
    /// Of AdamW (arXiv:1711.05101).
    pub weight_decay: f64,
    /// Largest norm of the gradient, all parameters together.
    pub gradient_clip: f32,
    /// What is minimised beside the loss of the next token. One with coefficient 0 is only computed.
    pub losses: Vec<WeightedLoss>,
    /// By how much a step moves the selection bias (arXiv:2408.15664, algorithm 1). 0 for none.
    pub bias_step: f32,
}

impl Recipe {
    /// Linear warm-up, then a cosine down to a twentieth (arXiv:1608.03983).
    pub fn learning_rate_at(&self, step: usize) -> f64 {
        let &Recipe { warm_up, steps, learning_rate, .. } = self;
        if step < warm_up {
            return learning_rate * (step + 1) as f64 / warm_up as f64;
        }
        let progress = (step - warm_up) as f64 / (steps - warm_up).max(1) as f64;
        learning_rate * (0.05 + 0.95 * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_learning_rate_rises_to_its_highest_and_falls_to_a_twentieth() {
        let recipe = Recipe {
            seed: 1,
            steps: 1000,
            learning_rate: 2.0,
            warm_up: 100,
            weight_decay: 0.1,
            gradient_clip: 1.0,
            losses: Vec::new(),
            bias_step: 0.0,
        };
        let check = |step, expected: f64| {
            let found = recipe.learning_rate_at(step);
            assert!((found - expected).abs() < 1e-9, "{found} is not {expected} at step {step}");
        };
        check(0, 0.02);
        check(49, 1.0);
        check(99, 2.0);
        check(100, 2.0);
        // Half of the cosine, of 0.05 + 0.95 / 2.
        check(550, 2.0 * 0.525);
        check(1000, 0.1);
        let forever = Recipe { steps: usize::MAX, ..recipe.clone() };
        assert_eq!(forever.learning_rate_at(1_000_000), 2.0);
    }
}
