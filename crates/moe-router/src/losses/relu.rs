//! The sparsity penalty of ReLU routing (ReMoE, Wang et al. 2025, arXiv:2412.14711, eq. 7-9).
//!
//! Plain: the mean over tokens of the sum of gates. Load-balanced: each expert's share weighted by how often it is on,
//! `f_e = E / (k T) · #{t : R[t,e] > 0}`. The released code averages over layers of a micro-batch and so do callers here.
//!
//! The [running example](crate::example): its positive logits sum to 13.34 over six tokens. Experts 0 and 1 are on more
//! often than a fair share of k = 2, so the balanced penalty is larger.
//!
//! ```
//! use moe_router::example::{self, assert_close};
//! use moe_router::losses::{relu_l1, relu_l1_balanced};
//!
//! assert_close(&[relu_l1(&example::gate_logits(), &[])], &[2.2233]); // 13.34 / 6
//! assert_close(&[relu_l1_balanced(&example::gate_logits(), 2, &[])], &[3.0339]);
//! ```

use moe_trace::GateLogits;

use super::real_rows;

/// `1/T · Σ_t Σ_e R[t,e]` with `R = relu(z)`, over real tokens. `is_padding`: `[tokens]`, or empty for none.
pub fn relu_l1(gate_logits: &GateLogits, is_padding: &[bool]) -> f64 {
    let rows = real_rows(gate_logits.rows(), is_padding);
    let gates: f64 = rows.clone().flatten().map(|&z| f64::from(z).max(0.0)).sum();
    gates / rows.count().max(1) as f64
}

/// `1/T · Σ_e f_e · Σ_t R[t,e]`, over real tokens: experts that are on more often are penalised more. `is_padding`:
/// `[tokens]`, or empty for none.
pub fn relu_l1_balanced(gate_logits: &GateLogits, k: usize, is_padding: &[bool]) -> f64 {
    relu_l1_balanced_terms(gate_logits, k, is_padding).into_iter().sum()
}

/// What each expert adds to the plain penalty, `[experts]`.
pub fn relu_l1_terms(gate_logits: &GateLogits, is_padding: &[bool]) -> Vec<f64> {
    let rows = real_rows(gate_logits.rows(), is_padding);
    let num_tokens = rows.clone().count().max(1) as f64;
    let of_expert = |expert: usize| rows.clone().map(|logits| f64::from(logits[expert]).max(0.0)).sum::<f64>();
    (0..gate_logits.num_experts()).map(|expert| of_expert(expert) / num_tokens).collect()
}

/// What each expert adds to the balanced one, `[experts]`.
pub fn relu_l1_balanced_terms(gate_logits: &GateLogits, k: usize, is_padding: &[bool]) -> Vec<f64> {
    let rows = real_rows(gate_logits.rows(), is_padding);
    let (num_tokens, num_experts) = (rows.clone().count().max(1) as f64, gate_logits.num_experts());
    let of_expert = |expert: usize| {
        let gates = || rows.clone().map(|logits| f64::from(logits[expert])).filter(|&gate| gate > 0.0);
        let frequency = num_experts as f64 / (k as f64 * num_tokens) * gates().count() as f64;
        frequency * gates().sum::<f64>() / num_tokens
    };
    (0..num_experts).map(of_expert).collect()
}
