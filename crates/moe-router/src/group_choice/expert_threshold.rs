//! Expert thresholds (Shazeer et al. 2017, arXiv:1701.06538, appendix F): the first remedy for generating with a rule in
//! which experts choose.
//!
//! Inference: a token is kept where its probability exceeds the expert's threshold, whatever the other tokens do. Causal.
//! Training: [`strictly_balanced`](super::strictly_balanced) decides, and thresholds are learned beside it by a loss, 0
//! where both rules agree, that lowers a threshold which keeps too few and raises one which keeps too many. The requests
//! are [`strictly_balanced::requests`](super::strictly_balanced::requests) of either mask.
//!
//! Expert 0 of the [running example](crate::example) keeps tokens 4, 0 and 1 (0.7457, 0.6932, 0.5147) and not token 2
//! (0.5042): a threshold of 0.51 says the same. One of 0.6 loses token 1, which is short of it by 0.0853.
//!
//! ```
//! use moe_router::example::{self, assert_close};
//! use moe_router::group_choice::{expert_threshold, strictly_balanced};
//!
//! let gate_logits = example::gate_logits();
//! let mask = strictly_balanced::batch_mask(&gate_logits, 3);
//! assert_eq!(expert_threshold::mask(&gate_logits, &[0.51, 0.20, 0.10, 0.13]), mask);
//! assert_eq!(expert_threshold::loss(&gate_logits, &mask, &[0.51, 0.20, 0.10, 0.13]), 0.0);
//! assert_close(&[expert_threshold::loss(&gate_logits, &mask, &[0.60, 0.20, 0.10, 0.13])], &[0.0853]);
//! ```

use moe_trace::GateLogits;

use crate::gate::gate_probs;
use crate::rule::{Explained, Family, InRust, Kind, Rule, Run};

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "expert_threshold",
    title: "Expert thresholds",
    one_line: "Every expert keeps the tokens that exceed its threshold: strictly balanced gating without its future.",
    family: Family::ExpertChoice,
    paper: "Shazeer et al. 2017, arXiv:1701.06538",
    equation: Some("appendix F"),
    needs: "a learned threshold per expert",
    trained_with: "thresholds learned beside strictly_balanced",
    at_inference: "the same",
    run: Run::InRust(InRust {
        kind: Kind::Assigns,
        module: module_path!(),
        instead: "strictly_balanced:2",
        looks_ahead: false,
    }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "kept where p_{t,e} > θ_e",
    text: "What strictly balanced gating keeps, told by a number for each expert: learned so that it keeps as many \
           tokens in the mean. A token's fate then depends on itself alone, so the rule can be used while text is \
           written.",
};

/// Which tokens exceed each expert's threshold, `[tokens, experts]`. `thresholds`: `[experts]`.
pub fn mask(gate_logits: &GateLogits, thresholds: &[f32]) -> Vec<bool> {
    let probs = gate_probs(gate_logits);
    probs.chunks(thresholds.len()).flat_map(|row| row.iter().zip(thresholds).map(|(p, limit)| p > limit)).collect()
}

/// `Σ_{t,e} (1{p > T_e} - mask[t,e]) · (p[t,e] - T_e)`, never negative; 0 where the thresholds keep what `mask` keeps.
///
/// `mask`: `[tokens, experts]`, from [`batch_mask`](super::strictly_balanced::batch_mask). `thresholds`: `[experts]`.
pub fn loss(gate_logits: &GateLogits, mask: &[bool], thresholds: &[f32]) -> f64 {
    let by_threshold = self::mask(gate_logits, thresholds);
    let probs = gate_probs(gate_logits);
    let limits = thresholds.iter().cycle();
    let terms = probs.iter().zip(limits).zip(by_threshold.iter().zip(mask)).map(|((&p, &limit), (kept, should))| {
        (f64::from(u8::from(*kept)) - f64::from(u8::from(*should))) * (f64::from(p) - f64::from(limit))
    });
    terms.sum()
}
