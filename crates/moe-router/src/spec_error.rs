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
    /// Experts that do not divide into equal groups.
    UnevenGroups {
        /// Groups that were asked for.
        groups: usize,
        /// Experts there are.
        num_experts: usize,
    },
    /// Groups that a token may visit, but that cannot hold its choices.
    KeptGroups {
        /// Groups a token may visit.
        kept: usize,
        /// Groups there are.
        groups: usize,
        /// Experts in each.
        group_size: usize,
        /// Experts a token asks.
        k: usize,
    },
    /// Groups of one expert where the rule looks at two of each.
    SmallGroups {
        /// Groups that were asked for.
        groups: usize,
        /// Experts there are.
        num_experts: usize,
    },
    /// A gate without a true expert.
    Nulls {
        /// Columns that were to be null experts.
        nulls: usize,
        /// Columns there are.
        num_experts: usize,
    },
    /// Columns of a gate that do not make experts with so many slots each.
    UnevenSlots {
        /// Slots of an expert.
        slots: usize,
        /// Columns there are.
        num_columns: usize,
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
            SpecError::UnevenGroups { groups, num_experts } => {
                write!(
                    f,
                    "{num_experts} experts do not divide into {groups} equal groups; allowed: a divisor of {num_experts}."
                )
            }
            SpecError::KeptGroups { kept, groups, group_size, k } => write!(
                f,
                "A token may visit {kept} of {groups} groups of {group_size} experts and asks {k} experts; \
                 allowed: 1 to {groups} groups that hold at least {k} experts together."
            ),
            SpecError::SmallGroups { groups, num_experts } => write!(
                f,
                "{num_experts} experts in {groups} groups leave {} to a group, which is judged by its two best; \
                 allowed: at most {} groups.",
                num_experts / groups,
                num_experts / 2
            ),
            SpecError::Nulls { nulls, num_experts } => {
                write!(f, "{nulls} of {num_experts} experts are null; allowed: 0 to {}.", num_experts - 1)
            }
            SpecError::UnevenSlots { slots, num_columns } => write!(
                f,
                "{num_columns} columns of the gate do not make experts of {slots} slots each; \
                 allowed: a divisor of {num_columns}."
            ),
            SpecError::Number { what, found, allowed } => write!(f, "{what} is {found}; allowed: {allowed}."),
        }
    }
}

impl std::error::Error for SpecError {}
