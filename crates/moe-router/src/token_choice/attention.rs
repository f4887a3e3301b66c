//! The attention router of Yuan 2.0-M32 (Wu et al. 2024, arXiv:2405.17976, section 3.1): experts look at each other before
//! a token chooses.
//!
//! Three linear gates give `q`, `k`, `v`, one number per expert each; the logits are `z_i = Σ_j softmax_j(q_i k_j) v_j`, and
//! top-2 of them with softmax over the two follows. In this form causal, the same in training and inference.
//! Deviation: the released code reshapes the sequence into attention heads and may mix positions; we take the paper's
//! form per token as the definition.

use moe_trace::GateLogits;

use crate::gate::computed_logits;

/// Gate logits, `[tokens, experts]`, for [`top_k`](super::top_k) to choose by.
///
/// `queries`, `keys`, `values`: `[tokens, experts]`, outputs of the three gates.
pub fn logits(queries: &GateLogits, keys: &GateLogits, values: &GateLogits) -> GateLogits {
    let rows = queries.rows().zip(keys.rows()).zip(values.rows());
    let attended = rows.flat_map(|((queries, keys), values)| {
        queries.iter().map(move |&query| {
            // Softmax and weighted sum in one pass: there are experts · experts shares per token.
            let scores = || keys.iter().map(|&key| f64::from(query) * f64::from(key));
            let largest = scores().fold(f64::NEG_INFINITY, f64::max);
            let (mut sum, mut weighted) = (0.0, 0.0);
            for (score, &value) in scores().zip(values) {
                let share = (score - largest).exp();
                sum += share;
                weighted += share * f64::from(value);
            }
            weighted / sum
        })
    });
    computed_logits(queries.num_experts(), attended)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attention_over_two_experts() {
        let row = |values: [f32; 2]| GateLogits::new(2, values.to_vec()).expect("one row");
        // Expert 0 does not ask and gets the mean; expert 1 asks for expert 0: softmax(2, 0) = (0.8808, 0.1192).
        let found = logits(&row([0.0, 1.0]), &row([2.0, 0.0]), &row([1.0, 3.0]));
        assert!((found.row(0)[0] - 2.0).abs() < 1e-6);
        assert!((found.row(0)[1] - (0.8808 + 3.0 * 0.1192)).abs() < 1e-4);
    }
}
