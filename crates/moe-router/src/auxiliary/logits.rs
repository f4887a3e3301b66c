//! Logits that stay small, or few of them positive.

use super::parts::{adding_up, k, logits};
use super::{AuxiliaryLoss, Family, Measured};
use crate::losses;

pub static LOSSES: &[AuxiliaryLoss] = &[
    AuxiliaryLoss {
        name: "z",
        title: "Router z-loss (ST-MoE)",
        family: Family::Logits,
        formula: "{1}/{T} · Σ_t (ln Σ_e exp z_{t,e})²",
        letters: "",
        paper: "Zoph et al. 2022 (ST-MoE), arXiv:2202.08906",
        equation: Some("eq. 5"),
        at_balance: |_, _| None,
        measure: |seen| Ok(Measured { value: losses::z_loss(logits(seen)?, &[]), terms: None }),
    },
    AuxiliaryLoss {
        name: "relu",
        title: "Sparsity of ReLU gates (ReMoE)",
        family: Family::Logits,
        formula: "{1}/{T} · Σ_t Σ_e R_{t,e}",
        letters: "R = max(z, 0)",
        paper: "Wang et al. 2025 (ReMoE), arXiv:2412.14711",
        equation: Some("eq. 7-9"),
        at_balance: |_, _| None,
        measure: |seen| {
            let logits = logits(seen)?;
            Ok(adding_up(losses::relu_l1(logits, &[]), "Σ_t R_{t,e} / T", losses::relu_l1_terms(logits, &[])))
        },
    },
    AuxiliaryLoss {
        name: "relu_balanced",
        title: "The same, balanced (ReMoE)",
        family: Family::Logits,
        formula: "{1}/{T} · Σ_e f_e · Σ_t R_{t,e}",
        letters: "f_e = E / (k · T) times the tokens with R_{t,e} > 0",
        paper: "Wang et al. 2025 (ReMoE), arXiv:2412.14711",
        equation: Some("eq. 7-9"),
        at_balance: |_, _| None,
        measure: |seen| {
            let (logits, k) = (logits(seen)?, k(seen)? as usize);
            let terms = losses::relu_l1_balanced_terms(logits, k, &[]);
            Ok(adding_up(losses::relu_l1_balanced(logits, k, &[]), "f_e · Σ_t R_{t,e} / T", terms))
        },
    },
];
