//! The rest of the survey as data: routing rules that a page offers to compare with, beyond those that models are
//! trained with here.
//!
//! Kept apart from [`RouterSpec`](crate::RouterSpec) so that the few rules of every day stay few. `moe-router` checks a
//! spec once and runs it, as it does with the others.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::spec_text::ParseSpecError;

/// A rule and its numbers. Each is explained, with its paper, in the file of `moe-router` that runs it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum SurveySpec {
    /// As many experts as it takes for their probabilities to exceed a threshold. Dropless.
    TopP { threshold: f32 },
    /// Every expert with a positive logit, weighted by it (ReMoE). Dropless.
    Relu,
    /// Sigmoid scores, `kept` of `groups` groups of experts, then the `k` best (DeepSeek-V3). 1 of 1 groups for none.
    Sigmoid { k: u32, groups: u32, kept: u32, scale: f32 },
    /// Softmax scores and the same with groups by their best expert (DeepSeek-V2's device limit).
    DeviceLimited { k: u32, groups: u32, kept: u32, scale: f32 },
    /// Top-k of the logits plus normal noise of this deviation, renormalised (Shazeer, V-MoE).
    Noisy { k: u32, std: f32 },
    /// Top-k of logits brought to the same spread for every token (Skywork-MoE), renormalised.
    Normalised { k: u32, lambda: f32 },
    /// Softmax of noisy logits at a temperature; weights up to the threshold are dropped (EvoMoE). Dropless.
    DenseToSparse { temperature: f32, threshold: f32 },
    /// The best expert of each of so many groups (M6-T).
    Prototypes { count: u32 },
    /// One decision for the whole text, from its mean logits (sentence-level routing).
    PerSequence { k: u32 },
    /// The expert is a hash of the token's id.
    Hash { seed: u32 },
    /// Any expert.
    Random,
    /// Every expert takes its best tokens, so that a token has so many experts on average. No capacity.
    ExpertChoice { average: f32 },
    /// Every expert keeps its best tokens; a token's weights are normalised over those that keep it (Shazeer). No capacity.
    StrictlyBalanced { k: u32 },
    /// Top-k of a balanced transport plan (S-BASE).
    Sinkhorn { k: u32 },
    /// An equal number of tokens for every expert, of the greatest total affinity (BASE). No capacity.
    BestAssignment,
    /// Switch, but who is turned away tries the next best expert (Switch, appendix B).
    NoTokenLeftBehind { tries: u32 },
}

const RULES: &str = "top_p:P, relu, sigmoid:K, sigmoid:K,GROUPS,KEPT,SCALE, device_limited:K,GROUPS,KEPT,SCALE, \
    noisy:K,STD, normalised:K,LAMBDA, dense_to_sparse:TEMPERATURE,THRESHOLD, prototypes:COUNT, per_sequence:K, \
    hash:SEED, random, expert_choice:AVERAGE, strictly_balanced:K, sinkhorn:K, best_assignment, \
    no_token_left_behind:TRIES";

impl SurveySpec {
    /// One of each rule, with the numbers of its paper where they fit a small layer: what a menu starts from.
    pub const EXAMPLES: [SurveySpec; 16] = [
        SurveySpec::TopP { threshold: 0.4 },
        SurveySpec::Relu,
        SurveySpec::Sigmoid { k: 2, groups: 1, kept: 1, scale: 1.0 },
        SurveySpec::DeviceLimited { k: 2, groups: 2, kept: 1, scale: 1.0 },
        SurveySpec::Noisy { k: 2, std: 1.0 },
        SurveySpec::Normalised { k: 2, lambda: 1.0 },
        SurveySpec::DenseToSparse { temperature: 0.5, threshold: 0.02 },
        SurveySpec::Prototypes { count: 2 },
        SurveySpec::PerSequence { k: 2 },
        SurveySpec::Hash { seed: 42 },
        SurveySpec::Random,
        SurveySpec::ExpertChoice { average: 2.0 },
        SurveySpec::StrictlyBalanced { k: 2 },
        SurveySpec::Sinkhorn { k: 1 },
        SurveySpec::BestAssignment,
        SurveySpec::NoTokenLeftBehind { tries: 4 },
    ];

    /// Does the rule itself look at later tokens, before any question of slots? (ROUTING 7.)
    pub fn uses_the_future(&self) -> bool {
        match self {
            SurveySpec::TopP { .. }
            | SurveySpec::Relu
            | SurveySpec::Sigmoid { .. }
            | SurveySpec::DeviceLimited { .. }
            | SurveySpec::Noisy { .. }
            | SurveySpec::Normalised { .. }
            | SurveySpec::DenseToSparse { .. }
            | SurveySpec::Prototypes { .. }
            | SurveySpec::Hash { .. }
            | SurveySpec::Random => false,
            SurveySpec::PerSequence { .. }
            | SurveySpec::ExpertChoice { .. }
            | SurveySpec::StrictlyBalanced { .. }
            | SurveySpec::Sinkhorn { .. }
            | SurveySpec::BestAssignment
            | SurveySpec::NoTokenLeftBehind { .. } => true,
        }
    }
}

impl FromStr for SurveySpec {
    type Err = ParseSpecError;

    fn from_str(text: &str) -> Result<SurveySpec, ParseSpecError> {
        let error = || ParseSpecError { what: "routing rule", found: text.trim().to_owned(), allowed: RULES };
        let (name, arguments) = text.trim().split_once(':').unwrap_or((text.trim(), ""));
        let mut arguments = arguments.split(',').map(str::trim).filter(|argument| !argument.is_empty());
        let spec = {
            let mut next = || arguments.next().ok_or_else(error);
            let count = |text: &str| text.parse::<u32>().map_err(|_| error());
            let number = |text: &str| text.parse::<f32>().map_err(|_| error());
            match name {
                "top_p" => SurveySpec::TopP { threshold: number(next()?)? },
                "relu" => SurveySpec::Relu,
                "sigmoid" => {
                    let k = count(next()?)?;
                    match next() {
                        Err(_) => SurveySpec::Sigmoid { k, groups: 1, kept: 1, scale: 1.0 },
                        Ok(groups) => {
                            let (groups, kept) = (count(groups)?, count(next()?)?);
                            SurveySpec::Sigmoid { k, groups, kept, scale: number(next()?)? }
                        }
                    }
                }
                "device_limited" => {
                    let (k, groups, kept) = (count(next()?)?, count(next()?)?, count(next()?)?);
                    SurveySpec::DeviceLimited { k, groups, kept, scale: number(next()?)? }
                }
                "noisy" => SurveySpec::Noisy { k: count(next()?)?, std: number(next()?)? },
                "normalised" => SurveySpec::Normalised { k: count(next()?)?, lambda: number(next()?)? },
                "dense_to_sparse" => {
                    SurveySpec::DenseToSparse { temperature: number(next()?)?, threshold: number(next()?)? }
                }
                "prototypes" => SurveySpec::Prototypes { count: count(next()?)? },
                "per_sequence" => SurveySpec::PerSequence { k: count(next()?)? },
                "hash" => SurveySpec::Hash { seed: count(next()?)? },
                "random" => SurveySpec::Random,
                "expert_choice" => SurveySpec::ExpertChoice { average: number(next()?)? },
                "strictly_balanced" => SurveySpec::StrictlyBalanced { k: count(next()?)? },
                "sinkhorn" => SurveySpec::Sinkhorn { k: count(next()?)? },
                "best_assignment" => SurveySpec::BestAssignment,
                "no_token_left_behind" => SurveySpec::NoTokenLeftBehind { tries: count(next()?)? },
                _ => return Err(error()),
            }
        };
        if arguments.next().is_some() { Err(error()) } else { Ok(spec) }
    }
}

impl fmt::Display for SurveySpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SurveySpec::TopP { threshold } => write!(f, "top_p:{threshold}"),
            SurveySpec::Relu => f.write_str("relu"),
            SurveySpec::Sigmoid { k, groups: 1, kept: 1, scale: 1.0 } => write!(f, "sigmoid:{k}"),
            SurveySpec::Sigmoid { k, groups, kept, scale } => write!(f, "sigmoid:{k},{groups},{kept},{scale}"),
            SurveySpec::DeviceLimited { k, groups, kept, scale } => {
                write!(f, "device_limited:{k},{groups},{kept},{scale}")
            }
            SurveySpec::Noisy { k, std } => write!(f, "noisy:{k},{std}"),
            SurveySpec::Normalised { k, lambda } => write!(f, "normalised:{k},{lambda}"),
            SurveySpec::DenseToSparse { temperature, threshold } => {
                write!(f, "dense_to_sparse:{temperature},{threshold}")
            }
            SurveySpec::Prototypes { count } => write!(f, "prototypes:{count}"),
            SurveySpec::PerSequence { k } => write!(f, "per_sequence:{k}"),
            SurveySpec::Hash { seed } => write!(f, "hash:{seed}"),
            SurveySpec::Random => f.write_str("random"),
            SurveySpec::ExpertChoice { average } => write!(f, "expert_choice:{average}"),
            SurveySpec::StrictlyBalanced { k } => write!(f, "strictly_balanced:{k}"),
            SurveySpec::Sinkhorn { k } => write!(f, "sinkhorn:{k}"),
            SurveySpec::BestAssignment => f.write_str("best_assignment"),
            SurveySpec::NoTokenLeftBehind { tries } => write!(f, "no_token_left_behind:{tries}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_survives_a_round_trip() {
        let with_groups = SurveySpec::Sigmoid { k: 8, groups: 8, kept: 4, scale: 2.5 };
        for spec in SurveySpec::EXAMPLES.into_iter().chain([with_groups]) {
            assert_eq!(spec.to_string().parse(), Ok(spec));
            let json = serde_json::to_string(&spec).expect("serialises");
            assert_eq!(serde_json::from_str::<SurveySpec>(&json).expect("parses"), spec);
        }
        assert_eq!(" sigmoid: 2 ".parse(), Ok(SurveySpec::EXAMPLES[2]));
    }

    #[test]
    fn errors_name_all_rules() {
        for text in ["best", "top_p", "top_p:x", "relu:1", "sigmoid:2,8", "hash:-1", "noisy:2,0.1,3"] {
            let message = text.parse::<SurveySpec>().expect_err(text).to_string();
            assert_eq!(message, format!("\"{text}\" is no routing rule; allowed: {RULES}"));
        }
    }
}
