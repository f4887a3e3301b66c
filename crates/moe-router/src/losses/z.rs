//! Router z-loss (Zoph et al. 2022, ST-MoE, arXiv:2202.08906, eq. 5): keeps gate logits small.
//!
//! `L_z = mean_t (ln Σ_e exp z[t,e])²`, of the logits after jitter and noise, before any bias. Coefficient 1e-3 in
//! ST-MoE and OLMoE.
//!
//! The [running example](crate::example): (4.9124 + 4.6835 + 4.5148 + 3.6177 + 4.4245 + 3.5120) / 6. With 10 added to every
//! logit the probabilities stay what they are, and only this loss notices.
//!
//! ```
//! use moe_router::example::{self, assert_close};
//! use moe_router::losses::z_loss;
//! use moe_trace::GateLogits;
//!
//! let gate_logits = example::gate_logits();
//! assert_close(&[z_loss(&gate_logits, &[])], &[4.2775]);
//! let raised = gate_logits.values().iter().map(|z| z + 10.0).collect();
//! let raised = z_loss(&GateLogits::new(4, raised).expect("six rows of four"), &[]);
//! assert!((raised - 145.56).abs() < 0.01);
//! ```

use moe_trace::GateLogits;

use super::real_rows;
use crate::gate::log_sum_exp;

/// The mean over real tokens of the squared log-sum-exp of the gate logits; 0 for no tokens. `is_padding`: `[tokens]`, or
/// empty for none.
pub fn z_loss(gate_logits: &GateLogits, is_padding: &[bool]) -> f64 {
    let rows = real_rows(gate_logits.rows(), is_padding);
    let sum: f64 = rows.clone().map(|logits| log_sum_exp(logits).powi(2)).sum();
    sum / rows.count().max(1) as f64
}
