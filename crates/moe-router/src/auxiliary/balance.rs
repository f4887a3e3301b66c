//! Counts times probabilities: nobody gets too much.

use moe_trace::Routing;

use super::parts::{adding_up, asked, k, logits};
use super::{AuxiliaryLoss, Family, Measured, Missing, Seen};
use crate::dispatch::dropless;
use crate::gate::{gate_probs, sigmoid};
use crate::losses::{self, BalanceScaling, DeviceBalance};
use crate::token_choice::deepseek::{DeepSeek, requests};

pub static LOSSES: &[AuxiliaryLoss] = &[
    AuxiliaryLoss {
        name: "switch",
        title: "Load balance (Switch)",
        family: Family::Balance,
        formula: "E · Σ_e f_e · P_e",
        letters: "f_e share of first choices",
        paper: "Fedus et al. 2021 (Switch), arXiv:2101.03961",
        equation: Some("eq. 4"),
        at_balance: |k, num_experts| balanced(BalanceScaling::Switch, k, num_experts),
        measure: |seen| balance(seen, BalanceScaling::Switch, "E · f_e · P_e"),
    },
    AuxiliaryLoss {
        name: "gshard",
        title: "Load balance (GShard)",
        family: Family::Balance,
        formula: "{1}/{E} · Σ_e f_e · P_e",
        letters: "f_e share of first choices",
        paper: "Lepikhin et al. 2020 (GShard), arXiv:2006.16668",
        equation: Some("algorithm 1"),
        at_balance: |k, num_experts| balanced(BalanceScaling::GshardPaper, k, num_experts),
        measure: |seen| balance(seen, BalanceScaling::GshardPaper, "f_e · P_e / E"),
    },
    AuxiliaryLoss {
        name: "survey",
        title: "Load balance (as the survey has it)",
        family: Family::Balance,
        formula: "E · Σ_e f_e · P_e",
        letters: "f_e share of first choices",
        paper: "Cai et al. 2024, “A Survey on Mixture of Experts”",
        equation: Some("eq. 6-8"),
        at_balance: |k, num_experts| balanced(BalanceScaling::Survey, k, num_experts),
        measure: |seen| balance(seen, BalanceScaling::Survey, "E · f_e · P_e"),
    },
    AuxiliaryLoss {
        name: "hf_topk",
        title: "Load balance (Hugging Face, top-k)",
        family: Family::Balance,
        formula: "E · Σ_e {n_e}/{T} · P_e",
        letters: "",
        paper: "the code of transformers (Mixtral, OLMoE)",
        equation: None,
        at_balance: |k, num_experts| balanced(BalanceScaling::HfTopk, k, num_experts),
        measure: |seen| balance(seen, BalanceScaling::HfTopk, "E · n_e / T · P_e"),
    },
    AuxiliaryLoss {
        name: "per_choice",
        title: "Load balance per choice (Megatron, MegaBlocks)",
        family: Family::Balance,
        formula: "{E}/{k · T} · Σ_e n_e · P_e",
        letters: "",
        paper: "the code of Megatron-LM and MegaBlocks",
        equation: None,
        at_balance: |k, num_experts| balanced(BalanceScaling::PerChoice, k, num_experts),
        measure: |seen| balance(seen, BalanceScaling::PerChoice, "E · n_e / (k · T) · P_e"),
    },
    AuxiliaryLoss {
        name: "second_place",
        title: "Balance of second choices (mesh-TensorFlow)",
        family: Family::Balance,
        formula: "{E}/{2} · Σ_e f2_e · P2_e",
        letters: "f2_e share of second choices, P2_e mean probability without the first choice",
        paper: "the code of mesh-TensorFlow",
        equation: None,
        at_balance: |_, _| Some(0.5),
        measure: |seen| {
            let (logits, routing) = (logits(seen)?, asked(seen)?);
            if !(0..routing.num_tokens).any(|token| routing.of_token(token).len() > 1) {
                return Err(Missing::SecondChoice);
            }
            let probs = gate_probs(logits);
            let terms = losses::second_place_terms(&probs, routing);
            Ok(adding_up(losses::second_place(&probs, routing), "E / 2 · f2_e · P2_e", terms))
        },
    },
    AuxiliaryLoss {
        name: "deepseek_experts",
        title: "Expert level (DeepSeek-V1, V2)",
        family: Family::Balance,
        formula: "Σ_e f_e · P_e",
        letters: "f_e = E · n_e / (k · T)",
        paper: "DeepSeek-AI 2024 (V2), arXiv:2405.04434",
        equation: Some("eq. 23-25"),
        at_balance: |_, _| Some(1.0),
        measure: |seen| {
            let (logits, routing) = (logits(seen)?, asked(seen)?);
            let probs: Vec<f64> = gate_probs(logits).into_iter().map(f64::from).collect();
            Ok(of_experts(&probs, routing))
        },
    },
    AuxiliaryLoss {
        name: "deepseek_devices",
        title: "Device level (DeepSeek-V1, V2)",
        family: Family::Balance,
        formula: "Σ_i f′_i · P′_i",
        letters: "f′_i mean f of device i's experts, P′_i the sum of their P",
        paper: "DeepSeek-AI 2024 (V2), arXiv:2405.04434",
        equation: Some("eq. 26-28"),
        at_balance: |_, _| Some(1.0),
        measure: |_| Err(Missing::Devices),
    },
    AuxiliaryLoss {
        name: "deepseek_messages",
        title: "Communication (DeepSeek-V2)",
        family: Family::Balance,
        formula: "Σ_i f″_i · P″_i",
        letters: "f″_i share of tokens sent to device i, P″_i the sum of its experts' P",
        paper: "DeepSeek-AI 2024 (V2), arXiv:2405.04434",
        equation: Some("eq. 29-31"),
        at_balance: |_, _| Some(1.0),
        measure: |_| Err(Missing::Devices),
    },
    AuxiliaryLoss {
        name: "deepseek_sequence",
        title: "Sequence level (DeepSeek-V3)",
        family: Family::Balance,
        formula: "Σ_e f_e · P_e",
        letters: "f_e = E · n_e / (k · T) of the best sigmoids, P_e mean share of an expert in a token's sigmoids",
        paper: "DeepSeek-AI 2024 (V3), arXiv:2412.19437",
        equation: Some("eq. 17-20"),
        at_balance: |_, _| Some(1.0),
        measure: |seen| {
            let (logits, k) = (logits(seen)?, k(seen)?);
            let num_experts = logits.num_experts();
            let sigmoids: Vec<f64> = logits.values().iter().map(|&logit| sigmoid(f64::from(logit))).collect();
            // Of the plain sigmoid top-k, whatever rule decided.
            let plain = requests(logits, &DeepSeek::v3(k, 1, 1, 1.0), &[]);
            let routing = dropless(&plain, logits.num_tokens(), num_experts);
            Ok(of_experts(&losses::sequence_scores(&sigmoids, num_experts), &routing))
        },
    },
];

fn balanced(scaling: BalanceScaling, k: Option<usize>, num_experts: usize) -> Option<f64> {
    // Of all scalings only that of Hugging Face asks how many choices there are.
    match (scaling, k) {
        (BalanceScaling::HfTopk, None) => None,
        _ => Some(scaling.when_balanced(k.unwrap_or(1), num_experts)),
    }
}

fn balance(seen: &Seen, scaling: BalanceScaling, what: &'static str) -> Result<Measured, Missing> {
    let (logits, routing) = (logits(seen)?, asked(seen)?);
    let probs = gate_probs(logits);
    Ok(adding_up(scaling.loss(&probs, routing), what, scaling.terms(&probs, routing)))
}

/// DeepSeek's loss over experts. `scores`: `[tokens, experts]`.
fn of_experts(scores: &[f64], routing: &Routing) -> Measured {
    let all_on_one = vec![0; routing.num_experts as usize];
    let DeviceBalance { experts, expert_frequency, mean_scores, .. } =
        losses::device_balance(scores, routing, &all_on_one, 1);
    let terms = expert_frequency.iter().zip(&mean_scores).map(|(f, p)| f * p).collect();
    adding_up(experts, "f_e · P_e", terms)
}
