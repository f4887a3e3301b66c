//! Why a routing spec cannot be run: what was asked, and what is allowed.

use std::fmt;

/// A spec that [`Router::new`](crate::Router::new) refuses. The message speaks to whoever wrote the spec.
#[derive(Debug, Clone, PartialEq)]
pub enum SpecError {
    /// A layer without experts.
    NoExperts,
    /// More experts per token than there are, or none at all.
    Choices {
        /// Experts a token asks.
        k: usize,
        /// Experts there are.
        num_experts: usize,
    },
    /// A rule that needs more experts than the layer has.
    TooFewExperts {
        /// The rule's textual name.
        rule: &'static str,
        /// Experts it needs at least.
        needs: usize,
        /// Experts there are.
        num_experts: usize,
    },
    /// A number outside the range in which it means something.
    Number {
        /// "The capacity factor", at the start of the sentence.
        what: &'static str,
        /// The number that was given.
        found: f32,
        /// "a number above 0, such as 1.25".
        allowed: &'static str,
    },
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SpecError::NoExperts => f.write_str("A layer needs at least one expert."),
            SpecError::Choices { k, num_experts } => {
                write!(f, "A token cannot ask {k} of {num_experts} experts; allowed: 1 to {num_experts}.")
            }
            SpecError::TooFewExperts { rule, needs, num_experts } => {
                write!(f, "The rule {rule} needs at least {needs} experts; this layer has {num_experts}.")
            }
            SpecError::Number { what, found, allowed } => write!(f, "{what} is {found}; allowed: {allowed}."),
        }
    }
}

impl std::error::Error for SpecError {}
