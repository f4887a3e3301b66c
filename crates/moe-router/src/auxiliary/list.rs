//! The losses, one row each.

use moe_trace::{GateLogits, RouterSpec, Routing};

use super::{AuxiliaryLoss, Family, Measured, Missing, Seen, Terms};
use crate::dispatch::dropless;
use crate::gate::{gate_probs, sigmoid};
use crate::losses::{self, BalanceScaling, DeviceBalance};
use crate::metrics;
use crate::rule::GateReads;
use crate::rules;
use crate::token_choice::deepseek::{DeepSeek, requests};

/// All of them, family by family.
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
    AuxiliaryLoss {
        name: "loss_free",
        title: "Loss-free balancing: MaxVio, and the step of each bias",
        family: Family::Instead,
        formula: "{max_e n_e}/{mean n} − 1",
        letters: "each bias moves by 0.001 towards even counts",
        paper: "Wang et al. 2024, arXiv:2408.15664",
        equation: Some("algorithm 1"),
        at_balance: |_, _| Some(0.0),
        measure: |seen| {
            let demand = metrics::demand(asked(seen)?);
            let steps = losses::bias_update(&vec![0.0; demand.len()], &demand, 0.001);
            let values = steps.into_iter().map(f64::from).collect();
            let terms = Some(Terms { what: "step of the bias", values, add_up: false });
            Ok(Measured { value: metrics::max_violation(&demand), terms })
        },
    },
    AuxiliaryLoss {
        name: "adaptive",
        title: "Adaptive coefficient (Skywork-MoE)",
        family: Family::Instead,
        formula: "min({d}/{5}, 0.01)",
        letters: "d share of requests turned away; the balance loss is multiplied by what this moves to",
        paper: "Wei et al. 2024 (Skywork-MoE), arXiv:2406.06563",
        equation: Some("eq. 5-6"),
        at_balance: |_, _| Some(0.0),
        measure: |seen| {
            let dropped = metrics::fraction_dropped(asked(seen)?);
            Ok(Measured { value: losses::target_coefficient(dropped), terms: None })
        },
    },
];

/// The gate logits of a rule that reads them.
fn logits<'a>(seen: &Seen<'a>) -> Result<&'a GateLogits, Missing> {
    if rules::facts(seen.router).reads == GateReads::Nothing {
        return Err(Missing::Gate);
    }
    seen.gate_logits.filter(|logits| logits.num_tokens() > 0).ok_or(Missing::GateLogits)
}

/// The routing of a text in which somebody asked for something.
fn asked<'a>(seen: &Seen<'a>) -> Result<&'a Routing, Missing> {
    if seen.routing.assignments.is_empty() { Err(Missing::Requests) } else { Ok(seen.routing) }
}

/// Experts that every token asks.
fn k(seen: &Seen) -> Result<u32, Missing> {
    rules::facts(seen.router).top_k(seen.routing.num_experts).ok_or(Missing::K)
}

/// `k` and the deviation of the noise.
fn noise(seen: &Seen) -> Result<(usize, f32), Missing> {
    match *seen.router {
        RouterSpec::Noisy { k, std } => Ok((k as usize, std)),
        _ => Err(Missing::Noise),
    }
}

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

/// The loss of an expected load. `probs`: `[tokens, experts]`.
fn load(probs: &[f64], logits: &GateLogits) -> Measured {
    let load = losses::expected_load(probs, logits.num_experts(), &[]);
    spread(metrics::squared_variation(&load), "L_e", load)
}

fn adding_up(value: f64, what: &'static str, values: Vec<f64>) -> Measured {
    Measured { value, terms: Some(Terms { what, values, add_up: true }) }
}

fn spread(value: f64, what: &'static str, values: Vec<f64>) -> Measured {
    Measured { value, terms: Some(Terms { what, values, add_up: false }) }
}

#[cfg(test)]
mod tests {
    use moe_trace::{Overflow, RoutingSpec};

    use super::*;
    use crate::{Router, RouterInput, example};

    /// The running example under a rule.
    fn measured(rule: &str) -> Vec<(&'static AuxiliaryLoss, Result<Measured, Missing>)> {
        let router = rules::parse_router(rule).expect("a rule");
        let gate_logits = example::gate_logits();
        let spec = RoutingSpec { router, overflow: Overflow::Dropless };
        let routing = Router::new(spec, 4).expect("four experts").route(&RouterInput::new(&gate_logits));
        let seen = Seen { gate_logits: Some(&gate_logits), routing: &routing, router: &router };
        LOSSES.iter().map(|loss| (loss, (loss.measure)(&seen))).collect()
    }

    #[test]
    fn names_are_one_each_and_families_stand_together() {
        let mut names: Vec<&str> = LOSSES.iter().map(|loss| loss.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), LOSSES.len());
        let families: Vec<Family> = LOSSES.iter().map(|loss| loss.family).collect();
        let blocks: Vec<Family> = families.chunk_by(|a, b| a == b).map(|block| block[0]).collect();
        assert_eq!(blocks, Family::ALL);
    }

    #[test]
    fn terms_that_add_up_add_up() {
        for rule in ["top_k:2", "switch", "dense", "deepseek:k=2", "expert_choice:2", "noisy:k=2,std=1", "top_p:0.6"] {
            for (loss, found) in measured(rule) {
                let Ok(Measured { value, terms: Some(terms) }) = found else { continue };
                assert_eq!(terms.values.len(), 4, "{rule}: {}", loss.name);
                let sum: f64 = terms.values.iter().sum();
                let is_sum = (sum - value).abs() < 1e-9;
                assert!(is_sum || !terms.add_up, "{rule}: {} is {value}, and its terms {sum}", loss.name);
            }
        }
    }

    /// The values that the files of the losses give for the running example, under top-2.
    #[test]
    fn top_2_of_the_running_example() {
        let all = measured("top_k:2");
        let check = |name: &str, expected: Result<f64, Missing>| {
            let (_, found) = all.iter().find(|(loss, _)| loss.name == name).expect(name);
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert!((found.value - expected).abs() < 5e-5, "{name}: {}", found.value),
                (found, expected) => assert_eq!(found.clone().map(|found| found.value), expected, "{name}"),
            }
        };
        check("switch", Ok(1.4273));
        check("survey", Ok(1.4273));
        check("gshard", Ok(0.0892));
        check("hf_topk", Ok(2.2141));
        check("per_choice", Ok(1.1071));
        check("deepseek_experts", Ok(1.1071));
        check("importance", Ok(0.2720));
        check("importance_vmoe", Ok(0.2205));
        check("token_information", Ok(-0.2555));
        check("entropy", Ok(1.0321));
        check("z", Ok(4.2775));
        check("relu", Ok(2.2233));
        check("relu_balanced", Ok(3.0339));
        check("loss_free", Ok(4.0 / 3.0 - 1.0));
        check("adaptive", Ok(0.0));
        check("load", Err(Missing::Noise));
        check("deepseek_devices", Err(Missing::Devices));
        check("deepseek_messages", Err(Missing::Devices));
        check("task_information", Err(Missing::Tasks));
        check("localized", Err(Missing::Kinds));
    }

    #[test]
    fn what_is_missing_is_named() {
        let check = |rule: &str, name: &str, missing: Missing| {
            let all = measured(rule);
            let (_, found) = all.iter().find(|(loss, _)| loss.name == name).expect(name);
            assert_eq!(*found, Err(missing), "{rule}: {name}");
            assert!(missing.to_string().starts_with("Needs "));
        };
        check("switch", "second_place", Missing::SecondChoice);
        check("top_p:0.6", "relu_balanced", Missing::K);
        check("hash:seed=0", "z", Missing::Gate);
        assert!(measured("noisy:k=2,std=1").iter().any(|(loss, found)| loss.name == "load" && found.is_ok()));
        let routing = Routing { num_tokens: 1, num_experts: 4, capacity: None, assignments: Vec::new() };
        let router = rules::parse_router("top_k:2").expect("a rule");
        let seen = Seen { gate_logits: None, routing: &routing, router: &router };
        for loss in LOSSES {
            assert!((loss.measure)(&seen).is_err(), "{} of nothing", loss.name);
        }
    }
}
