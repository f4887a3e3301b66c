//! Textual forms for URLs and element attributes: `top_k:2`, `switch`, `bpr`, `this-text`. Errors name the offending part
//! and what is allowed.
//!
//! A rule is a head and its arguments, `deepseek:k=8,groups=4,kept=2,scale=2.5`. Every argument may be given as
//! `key=value`; most may also stand without a key, in the order of the form, and a word (`raw`) may stand anywhere.
//! What a spec prints is parsed to the same spec.

use std::fmt;

mod arguments;
mod form;
mod menu;
mod mixer;
mod router;
mod router_forms;

pub use form::{Argument, Form, Value};
pub use mixer::MIXER_FORMS;
pub use router_forms::{NOT_FROM_GATE_LOGITS, NeedsMore, ROUTER_FORMS};

/// Why a text does not name a routing rule, policy or group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{found}\" is no {what}; allowed: {allowed}")]
pub struct ParseSpecError {
    /// What was looked for: "routing rule".
    pub what: String,
    /// The part of the text that is not one.
    pub found: String,
    /// What could stand in its place.
    pub allowed: String,
}

pub(crate) fn unknown<T>(
    what: impl Into<String>,
    found: impl Into<String>,
    allowed: impl fmt::Display,
) -> Result<T, ParseSpecError> {
    Err(ParseSpecError { what: what.into(), found: found.into(), allowed: allowed.to_string() })
}
