//! The attention router of Yuan 2.0-M32 (Wu et al. 2024, arXiv:2405.17976, section 3.1): experts look at each other before
//! a token chooses.
//!
//! Three linear gates give `q`, `k`, `v`, one number per expert each; the logits are `z_i = Σ_j softmax_j(q_i k_j) v_j`, and
//! top-2 of them with softmax over the two follows. In this form causal, the same in training and inference.
//! Deviation: the released code reshapes the sequence into attention heads and may mix positions; we take the paper's
//! form per token as the definition.
//!
//! One token, two experts. Expert 0 asks nothing (q = 0) and gets the mean of the values 1 and 3; expert 1 asks for
//! expert 0: softmax(1 · 2, 1 · 0) = (0.8808, 0.1192), and 0.8808 · 1 + 0.1192 · 3 = 1.2384.
//!
//! ```
//! use moe_router::{example::assert_close, token_choice::attention};
//! use moe_trace::GateLogits;
//!
//! let of_gate = |row: [f32; 2]| GateLogits::new(2, row.to_vec()).expect("one row of two");
//! let logits = attention::logits(&of_gate([0.0, 1.0]), &of_gate([2.0, 0.0]), &of_gate([1.0, 3.0]));
//! assert_close(logits.row(0), &[2.0, 1.2384]);
//! ```

use moe_trace::GateLogits;

use crate::gate::computed_logits;
use crate::rule::{Explained, Family, InRust, Kind, Rule, Run};

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "attention",
    title: "Attention router",
    one_line: "Experts look at each other before a token chooses: logits from queries, keys and values of experts.",
    family: Family::TokenChoice,
    paper: "Wu et al. 2024 (Yuan 2.0-M32), arXiv:2405.17976",
    equation: Some("section 3.1"),
    needs: "the outputs of three gates",
    trained_with: "2 of 32 experts",
    at_inference: "the same",
    run: Run::InRust(InRust { kind: Kind::Scores, module: module_path!(), instead: "top_k:2", looks_ahead: false }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "z_i = Σ_j softmax_j(q_i · k_j) · v_j",
    text: "Three gates give each expert a query, a key and a value, and experts look at each other before the token \
           chooses: who is chosen may depend on which others are good. It gives logits; top-2 decides as ever.",
};

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
