//! Mutual-information losses: use all experts on the whole, but be sure each time.
//!
//! Between token and expert (ModuleFormer, Shen et al. 2023, arXiv:2306.04640; DS-MoE): `-(H(mean_t p_t) - mean_t H(p_t))`.
//! Between task and expert (Mod-Squad, Chen et al. 2023, arXiv:2212.08066): `-Σ P(m,e) ln(P(m,e) / (P(m) P(e)))` with
//! equally probable tasks: 0 if every task uses experts alike. Coefficient 1e-3 in all three. Natural logarithms.
//!
//! The [running example](crate::example) uses its experts rather evenly (1.2877 of at most ln 4 = 1.3863), but is
//! unsure each time (1.0321). As two tasks of three tokens: they hardly differ in whom they ask.
//!
//! ```
//! use moe_router::example::{self, assert_close};
//! use moe_router::{gate_probs, losses};
//!
//! let probs = gate_probs(&example::gate_logits());
//! let of_tokens = losses::token_information(&probs, 4, &[]);
//! assert_close(&[of_tokens.of_experts, of_tokens.given_token, of_tokens.loss], &[1.2877, 1.0321, -0.2555]);
//! let by_task = losses::mean_probs_by_task(&probs, 4, &[0, 0, 0, 1, 1, 1], 2, &[]);
//! assert_close(&by_task, &[0.5707, 0.2277, 0.0743, 0.1272, 0.3300, 0.1927, 0.2337, 0.2435]);
//! assert_close(&[losses::task_information(&by_task, 4)], &[-0.0479]); // -ln 2 if they shared no expert
//! ```

use super::real_rows;

/// The token form and its two parts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TokenInformation {
    /// Minus the mutual information; at least `-ln E`.
    pub loss: f64,
    /// `H(e)`: entropy of the mean probabilities. ModuleFormer's 1e-8 inside the logarithm is included.
    pub of_experts: f64,
    /// `H(e|x)`: mean entropy of a token's probabilities.
    pub given_token: f64,
}

/// ModuleFormer's loss. `gate_probs`: `[tokens, experts]`, row-major. `is_padding`: `[tokens]`, or empty for none.
pub fn token_information(gate_probs: &[f32], num_experts: usize, is_padding: &[bool]) -> TokenInformation {
    let gate_probs = &real_rows(gate_probs.chunks(num_experts), is_padding).collect::<Vec<_>>().concat();
    let mean_probs = mean_rows(gate_probs.chunks(num_experts), num_experts);
    let of_experts: f64 = mean_probs.iter().map(|p| -p * (p + 1e-8).ln()).sum();
    let given_token = crate::metrics::entropy_mean(gate_probs, num_experts);
    TokenInformation { loss: given_token - of_experts, of_experts, given_token }
}

/// What each expert adds to ModuleFormer's loss, `[experts]`: its share of `H(e|x)` less its share of `H(e)`.
pub fn token_information_terms(gate_probs: &[f32], num_experts: usize, is_padding: &[bool]) -> Vec<f64> {
    let rows = real_rows(gate_probs.chunks(num_experts), is_padding);
    let num_tokens = rows.clone().count().max(1) as f64;
    let given_token = |expert: usize| {
        let probs = rows.clone().map(|row| f64::from(row[expert])).filter(|&p| p > 0.0);
        probs.map(|p| -p * p.ln()).sum::<f64>() / num_tokens
    };
    let mean_probs = mean_rows(rows.clone(), num_experts);
    let of_expert = |(expert, p): (usize, f64)| given_token(expert) + p * (p + 1e-8).ln();
    mean_probs.into_iter().enumerate().map(of_expert).collect()
}

/// Mod-Squad's loss, minus the mutual information of task and expert; at least `-ln` of the number of tasks.
///
/// `probs_given_task`: `[tasks, experts]`, from [`mean_probs_by_task`].
pub fn task_information(probs_given_task: &[f64], num_experts: usize) -> f64 {
    let num_tasks = (probs_given_task.len() / num_experts) as f64;
    let mut of_experts = vec![0.0; num_experts];
    for row in probs_given_task.chunks(num_experts) {
        for (sum, p) in of_experts.iter_mut().zip(row) {
            *sum += p / num_tasks;
        }
    }
    // P(m,e) / (P(m) P(e)) = P(e|m) / P(e). An impossible pair contributes 0.
    let terms = probs_given_task.chunks(num_experts).flat_map(|row| row.iter().zip(&of_experts));
    let terms = terms.filter(|(p, _)| **p > 0.0).map(|(p, of_expert)| p / num_tasks * (p / of_expert).ln());
    -terms.sum::<f64>()
}

/// `P(e|task)`, `[tasks, experts]`: mean probabilities over the tokens of each task; zeros for one without tokens.
///
/// `gate_probs`: `[tokens, experts]`. `task_of`: `[tokens]`, tasks counted from 0 to `num_tasks`. `is_padding`: `[tokens]`,
/// or empty for none.
pub fn mean_probs_by_task(
    gate_probs: &[f32],
    num_experts: usize,
    task_of: &[usize],
    num_tasks: usize,
    is_padding: &[bool],
) -> Vec<f64> {
    let of_task = |task: usize| {
        let others = task_of.iter().enumerate().map(|(token, of)| *of != task || is_padding.get(token) == Some(&true));
        let others: Vec<bool> = others.collect();
        mean_rows(real_rows(gate_probs.chunks(num_experts), &others), num_experts)
    };
    (0..num_tasks).flat_map(of_task).collect()
}

fn mean_rows<'a>(rows: impl Iterator<Item = &'a [f32]>, width: usize) -> Vec<f64> {
    let (mut sums, mut num_rows) = (vec![0.0; width], 0.0_f64);
    for row in rows {
        num_rows += 1.0;
        for (sum, &value) in sums.iter_mut().zip(row) {
            *sum += f64::from(value);
        }
    }
    sums.into_iter().map(|sum| sum / num_rows.max(1.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sure_and_balanced_is_best() {
        let check = |gate_probs: &[f32], expected: f64| {
            let found = token_information(gate_probs, 2, &[]).loss;
            assert!((found - expected).abs() < 1e-6, "{found} for {expected}");
        };
        let ln_2 = 2.0_f64.ln();
        check(&[1.0, 0.0, 0.0, 1.0], -ln_2);
        check(&[0.5, 0.5, 0.5, 0.5], 0.0);
        check(&[1.0, 0.0, 1.0, 0.0], 0.0);
    }

    #[test]
    fn tasks_that_share_experts_share_no_information() {
        let check = |gate_probs: &[f32], expected: f64| {
            let by_task = mean_probs_by_task(gate_probs, 2, &[0, 1], 2, &[]);
            assert!((task_information(&by_task, 2) - expected).abs() < 1e-9);
        };
        check(&[0.3, 0.7, 0.3, 0.7], 0.0);
        check(&[1.0, 0.0, 0.0, 1.0], -(2.0_f64.ln()));
    }
}
