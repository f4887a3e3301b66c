//! `top_k:2,raw` and a [`RouterSpec`] are the same thing.

use std::fmt;
use std::str::FromStr;

use crate::spec::{BaseSolver, Normalise, RouterSpec, SecondExpert, SinkhornChoice, Weighting};
use crate::text::arguments::Arguments;
use crate::text::form::list;
use crate::text::{MIXER_FORMS, NOT_FROM_GATE_LOGITS, ParseSpecError, ROUTER_FORMS, unknown};

impl FromStr for RouterSpec {
    type Err = ParseSpecError;

    fn from_str(text: &str) -> Result<RouterSpec, ParseSpecError> {
        let head = text.split(':').next().unwrap_or(text).trim();
        if let Some(rule) = NOT_FROM_GATE_LOGITS.iter().find(|rule| rule.name == head) {
            let what = format!("rule that can be run from gate logits, because it needs {}", rule.needs);
            return unknown(what, rule.name, format!("{} instead, or {} in Rust", rule.instead, rule.in_rust));
        }
        if MIXER_FORMS.iter().any(|form| form.head == head) {
            return unknown("rule that assigns tokens to experts: it mixes", head, list(ROUTER_FORMS));
        }
        let arguments = Arguments::read(text, "routing rule", ROUTER_FORMS)?;
        match spec(&arguments) {
            Some(spec) => Ok(spec),
            None if arguments.given(ALTERNATIVES).count() > 1 => {
                let given = arguments.given(ALTERNATIVES).map(|(key, value)| format!("{key}={value}"));
                let allowed = format!("one of them in {}", arguments.form);
                let what = format!("pair of arguments of {head} that go together");
                unknown(what, given.collect::<Vec<String>>().join(","), allowed)
            }
            None => unknown(format!("complete form of {head}"), text.trim(), arguments.form),
        }
    }
}

/// Arguments of which a rule takes one at most: the weighting of top-k, the test of GShard's second expert.
const ALTERNATIVES: &[&str] = &["weighting", "p", "second", "threshold", "random"];

/// `None` where an argument is missing, or two of the [`ALTERNATIVES`] are given.
fn spec(arguments: &Arguments) -> Option<RouterSpec> {
    let (count, number, word) = (|key| arguments.count(key), |key| arguments.number(key), |key| arguments.word(key));
    Some(match arguments.form.head {
        "dense" => RouterSpec::Dense,
        "switch" => RouterSpec::Switch,
        "top_k" => {
            let weighting = match (word("weighting"), number("p")) {
                (None | Some("norm"), None) => Weighting::Norm,
                (Some("raw"), None) => Weighting::Raw,
                (Some("softmax_after"), None) => Weighting::SoftmaxAfter,
                (None, Some(p)) => Weighting::PNorm { p },
                _ => return None,
            };
            RouterSpec::TopK { k: count("k")?, weighting }
        }
        "gshard" => {
            let second = match (word("second"), number("threshold"), number("random")) {
                (None | Some("always"), None, None) => SecondExpert::Always,
                (Some("never"), None, None) => SecondExpert::Never,
                (Some("proportional"), None, None) => SecondExpert::Proportional,
                (Some("sampled"), None, None) => SecondExpert::Sampled,
                (None, Some(threshold), None) => SecondExpert::Threshold { threshold },
                (None, None, Some(threshold)) => SecondExpert::Random { threshold },
                _ => return None,
            };
            let after = word("normalise") == Some("after");
            RouterSpec::Gshard { second, normalise: if after { Normalise::AfterDrop } else { Normalise::BeforeDrop } }
        }
        "noisy" => RouterSpec::Noisy { k: count("k")?, std: number("std")? },
        "logit_norm" => RouterSpec::LogitNorm { k: count("k")?, lambda: number("lambda").unwrap_or(1.0) },
        "dense_to_sparse" => RouterSpec::DenseToSparse {
            temperature: number("temperature")?,
            threshold: number("threshold").unwrap_or(0.02),
        },
        head @ ("deepseek" | "deepseek_v2") => {
            let (k, groups) = (count("k")?, count("groups").unwrap_or(1));
            let (kept, scale) = (count("kept").unwrap_or(groups), number("scale").unwrap_or(1.0));
            match head {
                "deepseek" => RouterSpec::Deepseek { k, groups, kept, scale },
                _ => RouterSpec::DeepseekV2 { k, groups, kept, scale },
            }
        }
        "top_p" => RouterSpec::TopP { threshold: number("threshold")? },
        "relu" => RouterSpec::Relu,
        "top_any" => RouterSpec::TopAny { threshold: number("threshold")? },
        "null_experts" => RouterSpec::NullExperts { k: count("k")?, nulls: count("nulls")? },
        "hierarchical" => RouterSpec::Hierarchical {
            groups: count("groups")?,
            k_groups: count("k_groups")?,
            k_within: count("k_within")?,
        },
        "prototypes" => RouterSpec::Prototypes { count: count("count")? },
        "per_sequence" => RouterSpec::PerSequence { k: count("k")? },
        "hash" => RouterSpec::Hash { seed: count("seed").unwrap_or(0) },
        "balanced_hash" => RouterSpec::BalancedHash,
        "random" => RouterSpec::Random,
        "expert_choice" => RouterSpec::ExpertChoice { average: number("average")? },
        "strictly_balanced" => RouterSpec::StrictlyBalanced { k: count("k")? },
        "sinkhorn" => RouterSpec::Sinkhorn {
            k: count("k").unwrap_or(1),
            choice: match word("choice") {
                Some("greedy") => SinkhornChoice::Greedy,
                _ => SinkhornChoice::Balanced,
            },
        },
        "base" => RouterSpec::Base {
            solver: match word("solver") {
                Some("exact") => BaseSolver::Exact,
                Some("greedy") => BaseSolver::Greedy,
                _ => BaseSolver::Auction,
            },
        },
        "no_token_left_behind" => RouterSpec::NoTokenLeftBehind { tries: count("tries").unwrap_or(4) },
        _ => return None,
    })
}

impl RouterSpec {
    /// The head of its text, and the name of its row in the table of rules: `top_k`.
    pub fn name(&self) -> &'static str {
        match self {
            RouterSpec::Dense => "dense",
            RouterSpec::Switch => "switch",
            RouterSpec::TopK { .. } => "top_k",
            RouterSpec::Gshard { .. } => "gshard",
            RouterSpec::Noisy { .. } => "noisy",
            RouterSpec::LogitNorm { .. } => "logit_norm",
            RouterSpec::DenseToSparse { .. } => "dense_to_sparse",
            RouterSpec::Deepseek { .. } => "deepseek",
            RouterSpec::DeepseekV2 { .. } => "deepseek_v2",
            RouterSpec::TopP { .. } => "top_p",
            RouterSpec::Relu => "relu",
            RouterSpec::TopAny { .. } => "top_any",
            RouterSpec::NullExperts { .. } => "null_experts",
            RouterSpec::Hierarchical { .. } => "hierarchical",
            RouterSpec::Prototypes { .. } => "prototypes",
            RouterSpec::PerSequence { .. } => "per_sequence",
            RouterSpec::Hash { .. } => "hash",
            RouterSpec::BalancedHash => "balanced_hash",
            RouterSpec::Random => "random",
            RouterSpec::ExpertChoice { .. } => "expert_choice",
            RouterSpec::StrictlyBalanced { .. } => "strictly_balanced",
            RouterSpec::Sinkhorn { .. } => "sinkhorn",
            RouterSpec::Base { .. } => "base",
            RouterSpec::NoTokenLeftBehind { .. } => "no_token_left_behind",
        }
    }
}

impl fmt::Display for RouterSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RouterSpec::Dense => f.write_str("dense"),
            RouterSpec::Switch => f.write_str("switch"),
            RouterSpec::TopK { k, weighting } => match weighting {
                Weighting::Norm => write!(f, "top_k:{k}"),
                Weighting::Raw => write!(f, "top_k:{k},raw"),
                Weighting::SoftmaxAfter => write!(f, "top_k:{k},softmax_after"),
                Weighting::PNorm { p } => write!(f, "top_k:{k},p={p}"),
            },
            RouterSpec::Gshard { second, normalise } => {
                match second {
                    SecondExpert::Always => f.write_str("gshard:always")?,
                    SecondExpert::Never => f.write_str("gshard:never")?,
                    SecondExpert::Proportional => f.write_str("gshard:proportional")?,
                    SecondExpert::Sampled => f.write_str("gshard:sampled")?,
                    SecondExpert::Threshold { threshold } => write!(f, "gshard:threshold={threshold}")?,
                    SecondExpert::Random { threshold } => write!(f, "gshard:random={threshold}")?,
                }
                match normalise {
                    Normalise::BeforeDrop => Ok(()),
                    Normalise::AfterDrop => f.write_str(",after"),
                }
            }
            RouterSpec::Noisy { k, std } => write!(f, "noisy:k={k},std={std}"),
            RouterSpec::LogitNorm { k, lambda } => write!(f, "logit_norm:k={k},lambda={lambda}"),
            RouterSpec::DenseToSparse { temperature, threshold } => {
                write!(f, "dense_to_sparse:temperature={temperature},threshold={threshold}")
            }
            RouterSpec::Deepseek { k, groups, kept, scale } => {
                write!(f, "deepseek:k={k},groups={groups},kept={kept},scale={scale}")
            }
            RouterSpec::DeepseekV2 { k, groups, kept, scale } => {
                write!(f, "deepseek_v2:k={k},groups={groups},kept={kept},scale={scale}")
            }
            RouterSpec::TopP { threshold } => write!(f, "top_p:{threshold}"),
            RouterSpec::Relu => f.write_str("relu"),
            RouterSpec::TopAny { threshold } => write!(f, "top_any:{threshold}"),
            RouterSpec::NullExperts { k, nulls } => write!(f, "null_experts:k={k},nulls={nulls}"),
            RouterSpec::Hierarchical { groups, k_groups, k_within } => {
                write!(f, "hierarchical:groups={groups},k_groups={k_groups},k_within={k_within}")
            }
            RouterSpec::Prototypes { count } => write!(f, "prototypes:{count}"),
            RouterSpec::PerSequence { k } => write!(f, "per_sequence:{k}"),
            RouterSpec::Hash { seed } => write!(f, "hash:{seed}"),
            RouterSpec::BalancedHash => f.write_str("balanced_hash"),
            RouterSpec::Random => f.write_str("random"),
            RouterSpec::ExpertChoice { average } => write!(f, "expert_choice:{average}"),
            RouterSpec::StrictlyBalanced { k } => write!(f, "strictly_balanced:{k}"),
            RouterSpec::Sinkhorn { k, choice: SinkhornChoice::Balanced } => write!(f, "sinkhorn:{k}"),
            RouterSpec::Sinkhorn { k, choice: SinkhornChoice::Greedy } => write!(f, "sinkhorn:{k},greedy"),
            RouterSpec::Base { solver: BaseSolver::Auction } => f.write_str("base:auction"),
            RouterSpec::Base { solver: BaseSolver::Exact } => f.write_str("base:exact"),
            RouterSpec::Base { solver: BaseSolver::Greedy } => f.write_str("base:greedy"),
            RouterSpec::NoTokenLeftBehind { tries } => write!(f, "no_token_left_behind:{tries}"),
        }
    }
}
