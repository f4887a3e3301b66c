//! Words of the page's menus: overflow policies (`bpr`) and routing groups (`this-text`).

use std::fmt;
use std::str::FromStr;

use crate::spec::{Policy, RoutingGroup};
use crate::text::ParseSpecError;

impl FromStr for Policy {
    type Err = ParseSpecError;

    fn from_str(text: &str) -> Result<Policy, ParseSpecError> {
        match text.trim().replace('-', "_").as_str() {
            "drop" => Ok(Policy::Drop),
            "bpr" => Ok(Policy::Bpr),
            "random_second" => Ok(Policy::RandomSecond),
            "dropless" => Ok(Policy::Dropless),
            _ => Err(ParseSpecError::new("an overflow policy", text, "drop, bpr, random-second, dropless")),
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
            _ => Err(ParseSpecError::new("a routing group", text, "this-text, decode-step")),
        }
    }
}

impl fmt::Display for RoutingGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RoutingGroup::ThisText => "this-text",
            RoutingGroup::DecodeStep => "decode-step",
            RoutingGroup::Batch => "batch",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_survives_a_round_trip() {
        for policy in [Policy::Drop, Policy::Bpr, Policy::RandomSecond, Policy::Dropless] {
            assert_eq!(policy.to_string().parse(), Ok(policy));
        }
        for group in [RoutingGroup::ThisText, RoutingGroup::DecodeStep] {
            assert_eq!(group.to_string().parse(), Ok(group));
        }
    }

    #[test]
    fn errors_list_what_is_allowed() {
        let message = "greedy".parse::<Policy>().expect_err("no such policy").to_string();
        assert_eq!(message, "\"greedy\" is not an overflow policy; allowed: drop, bpr, random-second, dropless");
    }
}
