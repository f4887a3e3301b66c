//! Textual forms for URLs and element attributes: `top_k:2`, `switch`, `bpr`, `this-text`. Errors name what is allowed.

use std::fmt;
use std::str::FromStr;

use crate::spec::{Normalise, Policy, RouterSpec, RoutingGroup, SecondExpert, Weighting};

/// Why a text does not name a routing rule, policy or group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{found}\" is no {what}; allowed: {allowed}")]
pub struct ParseSpecError {
    pub what: &'static str,
    pub found: String,
    pub allowed: &'static str,
}

fn unknown<T>(what: &'static str, found: &str, allowed: &'static str) -> Result<T, ParseSpecError> {
    Err(ParseSpecError { what, found: found.to_owned(), allowed })
}

impl FromStr for Policy {
    type Err = ParseSpecError;

    fn from_str(text: &str) -> Result<Policy, ParseSpecError> {
        match text.trim().replace('-', "_").as_str() {
            "drop" => Ok(Policy::Drop),
            "bpr" => Ok(Policy::Bpr),
            "random_second" => Ok(Policy::RandomSecond),
            "dropless" => Ok(Policy::Dropless),
            _ => unknown("overflow policy", text, "drop, bpr, random-second, dropless"),
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Policy::Drop => "drop",
            Policy::Bpr => "bpr",
            Policy::RandomSecond => "random-second",
            Policy::Dropless => "dropless",
        })
    }
}

impl FromStr for RoutingGroup {
    type Err = ParseSpecError;

    fn from_str(text: &str) -> Result<RoutingGroup, ParseSpecError> {
        match text.trim().replace(['-', ' '], "_").as_str() {
            "this_text" => Ok(RoutingGroup::ThisText),
            "decode_step" => Ok(RoutingGroup::DecodeStep),
            _ => unknown("routing group", text, "this-text, decode-step"),
        }
    }
}

impl fmt::Display for RoutingGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RoutingGroup::ThisText => "this-text",
            RoutingGroup::DecodeStep => "decode-step",
        })
    }
}

const ROUTERS: &str = "dense, switch, top_k:K, top_k:K,raw, top_k:K,softmax_after, top_k:K,p=P, \
    gshard, gshard:never, gshard:proportional, gshard:sampled, gshard:threshold=X, gshard:random=X, each with ,after";

impl FromStr for RouterSpec {
    type Err = ParseSpecError;

    fn from_str(text: &str) -> Result<RouterSpec, ParseSpecError> {
        let (name, arguments) = text.trim().split_once(':').unwrap_or((text.trim(), ""));
        let mut arguments = arguments.split(',').map(str::trim).filter(|argument| !argument.is_empty());
        let spec = match name {
            "dense" => RouterSpec::Dense,
            "switch" => RouterSpec::Switch,
            "top_k" => {
                let Some(Ok(k)) = arguments.next().map(u32::from_str) else {
                    return unknown(
                        "number of experts per token",
                        text,
                        "top_k:K with a whole number K, as in top_k:2",
                    );
                };
                let weighting = match arguments.next() {
                    None | Some("norm") => Weighting::Norm,
                    Some("raw") => Weighting::Raw,
                    Some("softmax_after") => Weighting::SoftmaxAfter,
                    Some(other) => match other.strip_prefix("p=").map(f32::from_str) {
                        Some(Ok(p)) => Weighting::PNorm { p },
                        _ => return unknown("weighting", other, "norm, raw, softmax_after, p=P"),
                    },
                };
                RouterSpec::TopK { k, weighting }
            }
            "gshard" => {
                let mut second = SecondExpert::Always;
                let mut normalise = Normalise::BeforeDrop;
                for argument in arguments.by_ref() {
                    let number = |prefix| argument.strip_prefix(prefix).and_then(|number| f32::from_str(number).ok());
                    match argument {
                        "always" => second = SecondExpert::Always,
                        "never" => second = SecondExpert::Never,
                        "proportional" => second = SecondExpert::Proportional,
                        "sampled" => second = SecondExpert::Sampled,
                        "after" => normalise = Normalise::AfterDrop,
                        _ => {
                            if let Some(threshold) = number("threshold=") {
                                second = SecondExpert::Threshold { threshold };
                            } else if let Some(threshold) = number("random=") {
                                second = SecondExpert::Random { threshold };
                            } else {
                                let allowed = "always, never, proportional, sampled, threshold=X, random=X, after";
                                return unknown("option of gshard", argument, allowed);
                            }
                        }
                    }
                }
                RouterSpec::Gshard { second, normalise }
            }
            _ => return unknown("routing rule", name, ROUTERS),
        };
        match arguments.next() {
            Some(extra) => unknown("further option", extra, ROUTERS),
            None => Ok(spec),
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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_survives_a_round_trip() {
        for text in [
            "dense",
            "switch",
            "top_k:2",
            "top_k:1,raw",
            "top_k:4,softmax_after",
            "top_k:4,p=2",
            "gshard:always",
            "gshard:never",
            "gshard:proportional,after",
            "gshard:sampled",
            "gshard:threshold=0.2",
            "gshard:random=0.2,after",
        ] {
            let spec: RouterSpec = text.parse().expect(text);
            assert_eq!(spec.to_string(), text);
        }
        for policy in [Policy::Drop, Policy::Bpr, Policy::RandomSecond, Policy::Dropless] {
            assert_eq!(policy.to_string().parse(), Ok(policy));
        }
        for group in [RoutingGroup::ThisText, RoutingGroup::DecodeStep] {
            assert_eq!(group.to_string().parse(), Ok(group));
        }
    }

    #[test]
    fn errors_name_the_offending_part() {
        let check = |text: &str, part: &str| {
            let message = text.parse::<RouterSpec>().expect_err(text).to_string();
            assert!(message.starts_with(&format!("\"{part}\" is no ")), "{message}");
        };
        check("topk:2", "topk");
        check("top_k:two", "top_k:two");
        check("top_k:2,half", "half");
        check("gshard:often", "often");
        check("switch:2", "2");
        let message = "greedy".parse::<Policy>().expect_err("no such policy").to_string();
        assert_eq!(message, "\"greedy\" is no overflow policy; allowed: drop, bpr, random-second, dropless");
    }
}
