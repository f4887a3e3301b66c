//! Shared experts (DeepSeekMoE, Dai et al. 2024, arXiv:2401.06066, eq. 9-11; Qwen2-MoE): always on beside the routed ones,
//! for what every token needs.
//!
//! `y_t = Σ_s g_s · FFN_s(x_t) + Σ_e w_e · FFN_e(x_t)` with `g = 1` (DeepSeek) or `g = sigmoid(x w)` (Qwen). They have no
//! slots to lose and are in no balance loss; `E` and `k` elsewhere count routed experts only. Causal, the same in training
//! and inference. [`Mixer`](crate::Mixer) gives their weights: `shared:none`, `shared:sigmoid`.
//!
//! 16 experts of which a token asks 2, each cut in four, one part always on: 64 small experts, of which 63 are routed
//! to and 7 asked, and the same work as before. Qwen's sigmoid lets a token turn a shared expert down: sigmoid(1.85) =
//! 0.8641.
//!
//! ```
//! use moe_router::{Mixer, RouterInput, example::assert_close};
//! use moe_router::mixing::shared_experts::{Segmentation, segmentation};
//! use moe_trace::{GateLogits, Mixing};
//!
//! assert_eq!(segmentation(16, 2, 4, 1), Some(Segmentation { routed: 63, k: 7 }));
//! let of_shared = GateLogits::new(1, vec![1.85, -1.07]).expect("two tokens, one shared expert");
//! let mixer = Mixer::new(moe_router::rules::parse_mixer("shared:sigmoid").expect("a rule"), 1).expect("one column");
//! let Ok(Mixing::Outputs { weights, .. }) = mixer.mix(&RouterInput::new(&of_shared)) else { panic!("weights") };
//! assert_close(&weights, &[0.8641, 0.2554]);
//! ```

use moe_trace::{MixerSpec, SharedGate};

use crate::rule::{Argument, Explained, Family, Form, Mixes, Rule, Run, own};

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "shared",
    title: "Shared experts",
    one_line: "Experts that are always on beside the routed ones, outside all slots and balance losses.",
    family: Family::SharedExperts,
    paper: "Dai et al. 2024 (DeepSeekMoE), arXiv:2401.06066; Qwen2-MoE for the sigmoid",
    equation: Some("eq. 9-11 (DeepSeekMoE)"),
    needs: "a column of the gate per shared expert, for the sigmoid",
    trained_with: "1 or 2 shared experts",
    at_inference: "the same",
    run: Run::Mixes(Mixes {
        form: Form {
            arguments: &[Argument::word("gate", &["none", "sigmoid"])],
            example: "shared:none",
            read: |given| {
                let sigmoid = given.word("gate") == Some("sigmoid");
                Some(MixerSpec::Shared { gate: if sigmoid { SharedGate::Sigmoid } else { SharedGate::None } })
            },
            print: own!(MixerSpec::Shared { gate } => {
                let gate = match gate {
                    SharedGate::None => "none",
                    SharedGate::Sigmoid => "sigmoid",
                };
                vec![("gate", gate.into())]
            }),
        },
        check: |_, _| Ok(()),
        looks_ahead: false,
    }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "y = Σ_s g_s · FFN_s(x) + Σ_{e ∈ TopK} w_e · FFN_e(x)",
    text: "Some experts serve every token, beside those that are routed to. What all tokens need is learned once, \
           and the routed experts are free to differ. They have no slots to run out of and stand in no balance \
           loss.",
};

/// What is left to route after splitting experts finely and setting some aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segmentation {
    /// Experts that are routed to, `mN - K_s`.
    pub routed: usize,
    /// Of these, how many a token asks, `mK - K_s`.
    pub k: usize,
}

/// `num_experts` experts of which a token asks `k`, each cut into `parts` small ones, `shared` of which are always on: as
/// many numbers and as much work as before. `None` where nothing would be left to ask.
pub fn segmentation(num_experts: usize, k: usize, parts: usize, shared: usize) -> Option<Segmentation> {
    let left = |count: usize| (count * parts).checked_sub(shared).filter(|left| *left > 0);
    Some(Segmentation { routed: left(num_experts)?, k: left(k)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_cut_off_and_nothing_left() {
        assert_eq!(segmentation(8, 2, 1, 0), Some(Segmentation { routed: 8, k: 2 }));
        assert_eq!(segmentation(8, 1, 1, 1), None);
    }
}
