//! Words for URLs and element attributes: `bpr`, `this-text`. Errors name the offending part and what is allowed.
//!
//! Texts of rules, `top_k:2`, are read and printed by `moe_router::rules`, where the rules are declared.

use std::fmt;

mod menu;

/// Why a text does not name a routing rule, policy or group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{found}\" is not {what}; allowed: {allowed}")]
pub struct ParseSpecError {
    /// What was looked for, with its article: "a routing rule".
    pub what: String,
    /// The part of the text that is not one.
    pub found: String,
    /// What could stand in its place.
    pub allowed: String,
}

impl ParseSpecError {
    pub fn new(what: impl Into<String>, found: impl Into<String>, allowed: impl fmt::Display) -> ParseSpecError {
        ParseSpecError { what: what.into(), found: found.into(), allowed: allowed.to_string() }
    }
}
