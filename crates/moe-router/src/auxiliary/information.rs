//! Sure each time, varied on the whole.

use super::parts::{adding_up, logits};
use super::{AuxiliaryLoss, Family, Measured, Missing};
use crate::gate::gate_probs;
use crate::losses;
use crate::metrics;

pub static LOSSES: &[AuxiliaryLoss] = &[
    AuxiliaryLoss {
        name: "token_information",
        title: "Mutual information with tokens (ModuleFormer)",
        family: Family::Information,
        formula: "H(e|x) − H(e)",
        letters: "H(e|x) mean entropy of a token's probabilities, H(e) entropy of their mean, in nats",
        paper: "Shen et al. 2023 (ModuleFormer), arXiv:2306.04640",
        equation: None,
        at_balance: |_, num_experts| Some(-(num_experts as f64).ln()),
        measure: |seen| {
            let logits = logits(seen)?;
            let (probs, num_experts) = (gate_probs(logits), logits.num_experts());
            let value = losses::token_information(&probs, num_experts, &[]).loss;
            let terms = losses::token_information_terms(&probs, num_experts, &[]);
            Ok(adding_up(value, "each expert's share of both entropies", terms))
        },
    },
    AuxiliaryLoss {
        name: "entropy",
        title: "Entropy of the gate",
        family: Family::Information,
        formula: "H(e|x) = −{1}/{T} · Σ_t Σ_e p_{t,e} · ln p_{t,e}",
        letters: "in nats: 0 where every choice is certain",
        paper: "the first part of ModuleFormer's loss, arXiv:2306.04640",
        equation: None,
        at_balance: |_, _| Some(0.0),
        measure: |seen| {
            let logits = logits(seen)?;
            let value = metrics::entropy_mean(&gate_probs(logits), logits.num_experts());
            Ok(Measured { value, terms: None })
        },
    },
    AuxiliaryLoss {
        name: "task_information",
        title: "Mutual information with tasks (Mod-Squad)",
        family: Family::Information,
        formula: "−Σ_m Σ_e P_{m,e} · ln {P_{m,e}}/{P_m · P_e}",
        letters: "m tasks",
        paper: "Chen et al. 2023 (Mod-Squad), arXiv:2212.08066",
        equation: None,
        at_balance: |_, _| None,
        measure: |_| Err(Missing::Tasks),
    },
];
