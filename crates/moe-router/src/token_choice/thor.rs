//! THOR (Zuo et al. 2022, arXiv:2110.04260): two experts drawn for a whole step, and nothing is ever learned about whom
//! to ask.
//!
//! Every step and layer draws two distinct experts; all tokens run through both, and a consistency loss pulls the two
//! outputs together. Causal. Training draws anew each step; inference takes one random expert, or the average of all.
//!
//! Three steps of one generator on four experts: the pair is the beginning of a shuffle.
//!
//! ```
//! use moe_router::draws::SplitMix64;
//! use moe_router::token_choice::thor;
//!
//! assert_eq!(thor::pair(&[2, 0, 1, 3]), [2, 0]);
//! let mut draws = SplitMix64::new(3);
//! let pairs: Vec<[usize; 2]> = (0..3).map(|_| thor::pair(&draws.permutation(4))).collect();
//! assert_eq!(pairs, [[2, 3], [2, 1], [2, 3]]);
//! ```

use crate::rule::{Explained, Family, InRust, Kind, Rule, Run};

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "thor",
    title: "THOR",
    one_line: "All tokens of a step go through two experts drawn for it, with a loss for their disagreement.",
    family: Family::NotLearned,
    paper: "Zuo et al. 2022, arXiv:2110.04260",
    equation: Some("code microsoft/Stochastic-Mixture-of-Experts: thor/transformer_thor_layer.py"),
    needs: "two experts drawn for the whole step",
    trained_with: "two of all experts, consistency loss",
    at_inference: "one random expert, or the average of all",
    run: Run::InRust(InRust { kind: Kind::Assigns, module: module_path!(), instead: "random", looks_ahead: false }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "y = {FFN_a(x) + FFN_b(x)}/{2}, a and b drawn per step",
    text: "All tokens of a step go through the same two experts, drawn for it; a loss pulls the two outputs \
           together, so that experts come to agree instead of dividing the work. At inference any of them will do.",
};

/// The two experts of a step: the first two of a shuffle of all, as
/// [`permutation`](crate::draws::SplitMix64::permutation) makes one. At least two experts.
pub fn pair(shuffled_experts: &[usize]) -> [usize; 2] {
    [shuffled_experts[0], shuffled_experts[1]]
}
