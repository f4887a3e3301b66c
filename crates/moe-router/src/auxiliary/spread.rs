//! How unevenly something is spread over the experts.

use moe_trace::GateLogits;

use super::parts::{asked, logits, noise, spread};
use super::{AuxiliaryLoss, Family, Measured, Missing};
use crate::gate::gate_probs;
use crate::losses;
use crate::metrics;

pub static LOSSES: &[AuxiliaryLoss] = &[
    AuxiliaryLoss {
        name: "importance",
        title: "Importance of weights (Shazeer)",
        family: Family::Spread,
        formula: "CV(I)²",
        letters: "I_e sum of the weights given to expert e",
        paper: "Shazeer et al. 2017, arXiv:1701.06538",
        equation: Some("eq. 6-7"),
        at_balance: |_, _| Some(0.0),
        measure: |seen| {
            let routing = asked(seen)?;
            Ok(spread(losses::importance_of_weights(routing), "I_e", losses::sums_of_weights(routing)))
        },
    },
    AuxiliaryLoss {
        name: "importance_vmoe",
        title: "Importance of probabilities (V-MoE)",
        family: Family::Spread,
        formula: "CV(I)²",
        letters: "I_e = Σ_t p_{t,e}",
        paper: "Riquelme et al. 2021 (V-MoE), arXiv:2106.05974",
        equation: Some("app. A.2"),
        at_balance: |_, _| Some(0.0),
        measure: |seen| {
            let logits = logits(seen)?;
            let (probs, num_experts) = (gate_probs(logits), logits.num_experts());
            let value = losses::importance_of_probs(&probs, num_experts, &[]);
            Ok(spread(value, "I_e", losses::sums_of_probs(&probs, num_experts, &[])))
        },
    },
    AuxiliaryLoss {
        name: "load",
        title: "Load under noise (Shazeer)",
        family: Family::Spread,
        formula: "CV(L)²",
        letters: "L_e = Σ_t Φ((z_{t,e} − threshold) / σ), the load expected of noise drawn again",
        paper: "Shazeer et al. 2017, arXiv:1701.06538",
        equation: Some("eq. 8-10"),
        at_balance: |_, _| Some(0.0),
        measure: |seen| {
            let (logits, (k, std)) = (logits(seen)?, noise(seen)?);
            let std = vec![std; logits.values().len()];
            Ok(load(&losses::load_probs(logits, logits, &std, k), logits))
        },
    },
    AuxiliaryLoss {
        name: "load_vmoe",
        title: "Load under noise (V-MoE)",
        family: Family::Spread,
        formula: "CV(L)²",
        letters: "L_e = Σ_t (1 − Φ((threshold − z_{t,e}) / σ)), the load expected of noise drawn again",
        paper: "Riquelme et al. 2021 (V-MoE), arXiv:2106.05974",
        equation: Some("app. A.2, eq. 6-8"),
        at_balance: |_, _| Some(0.0),
        measure: |seen| {
            let (logits, (k, std)) = (logits(seen)?, noise(seen)?);
            Ok(load(&losses::load_probs_vmoe(logits, logits, std, k), logits))
        },
    },
    AuxiliaryLoss {
        name: "localized",
        title: "Localized balance (LoRAMoE)",
        family: Family::Spread,
        formula: "{Var(Z)}/{Mean(Z)}",
        letters: "Z importance, more where an expert's kind is the sample's",
        paper: "Dou et al. 2024 (LoRAMoE), arXiv:2312.09979",
        equation: Some("eq. 6-8"),
        at_balance: |_, _| Some(0.0),
        measure: |_| Err(Missing::Kinds),
    },
];

/// The loss of an expected load. `probs`: `[tokens, experts]`.
fn load(probs: &[f64], logits: &GateLogits) -> Measured {
    let load = losses::expected_load(probs, logits.num_experts(), &[]);
    spread(metrics::squared_variation(&load), "L_e", load)
}
