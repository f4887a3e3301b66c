//! An error as a reader sees it: what happened, why, and what to do about it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What every error becomes where it meets a person: three sentences, and what a machine said, for those who ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct UserError {
    /// "The model could not be loaded."
    pub what: String,
    /// "12 of 3,712,000 bytes arrived, then the connection ended."
    pub why: String,
    /// "Check the connection and press Retry; the recorded run below still works."
    pub try_this: String,
    /// The raw text behind it, in the words of browser, device or panic: `RuntimeError: unreachable`. No sentence for
    /// a reader; shown where it is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "codegen", ts(optional))]
    pub details: Option<String>,
}

impl UserError {
    pub fn new(what: impl Into<String>, why: impl Into<String>, try_this: impl Into<String>) -> UserError {
        UserError { what: what.into(), why: why.into(), try_this: try_this.into(), details: None }
    }

    pub fn with_details(self, details: impl fmt::Display) -> UserError {
        UserError { details: Some(details.to_string()), ..self }
    }
}

impl fmt::Display for UserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.what, self.why, self.try_this)?;
        self.details.as_ref().map_or(Ok(()), |details| write!(f, " ({details})"))
    }
}

impl std::error::Error for UserError {}
