//! Where a rule stands among all rules, by the taxonomy of the survey by Cai et al. 2024 (arXiv:2407.06204, section 4): who
//! chooses whom, and whether anybody is chosen at all.

use std::fmt;

/// A leaf of the taxonomy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Tokens choose experts by a gate that learns.
    TokenChoice,
    /// Tokens are sent to experts by something that is never learned.
    NotLearned,
    /// Experts choose tokens.
    ExpertChoice,
    /// Every expert serves every token.
    Dense,
    /// Tokens are blended, and experts process the blends.
    TokenMerging,
    /// Experts are blended into one, which processes the tokens.
    ExpertMerging,
    /// Experts beside the routed ones that everybody uses.
    SharedExperts,
    /// Experts that are small additions to a network that stays as it is.
    ParameterEfficient,
}

/// What several families have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Branch {
    /// A few experts work for a token.
    Sparse,
    /// All do.
    Dense,
    /// All have a share in what works for a token, and none works alone.
    Soft,
    /// It is the experts that differ, not how they are found.
    Experts,
}

impl Branch {
    /// All of them, in the survey's order.
    pub const ALL: [Branch; 4] = [Branch::Sparse, Branch::Dense, Branch::Soft, Branch::Experts];

    /// As the survey calls it.
    pub fn title(self) -> &'static str {
        match self {
            Branch::Sparse => "Sparse",
            Branch::Dense => "Dense",
            Branch::Soft => "Soft",
            Branch::Experts => "Kinds of experts",
        }
    }

    /// Its families.
    pub fn families(self) -> impl Iterator<Item = Family> {
        Family::ALL.into_iter().filter(move |family| family.branch() == self)
    }
}

impl Family {
    /// All of them, in the survey's order.
    pub const ALL: [Family; 8] = [
        Family::TokenChoice,
        Family::NotLearned,
        Family::ExpertChoice,
        Family::Dense,
        Family::TokenMerging,
        Family::ExpertMerging,
        Family::SharedExperts,
        Family::ParameterEfficient,
    ];

    /// What it is a part of.
    pub fn branch(self) -> Branch {
        match self {
            Family::TokenChoice | Family::NotLearned | Family::ExpertChoice => Branch::Sparse,
            Family::Dense => Branch::Dense,
            Family::TokenMerging | Family::ExpertMerging => Branch::Soft,
            Family::SharedExperts | Family::ParameterEfficient => Branch::Experts,
        }
    }

    /// As the survey calls it.
    pub fn title(self) -> &'static str {
        match self {
            Family::TokenChoice => "Token choice",
            Family::NotLearned => "Token choice, non-trainable",
            Family::ExpertChoice => "Expert choice",
            Family::Dense => "Dense",
            Family::TokenMerging => "Token merging",
            Family::ExpertMerging => "Expert merging",
            Family::SharedExperts => "Shared experts",
            Family::ParameterEfficient => "Parameter-efficient experts",
        }
    }

    /// What its rules have in common, in a sentence without its full stop.
    pub fn says(self) -> &'static str {
        match self {
            Family::TokenChoice => "Each token picks its experts by a gate that learns",
            Family::NotLearned => "Experts are fixed or drawn; nothing is learned",
            Family::ExpertChoice => "Each expert picks its tokens",
            Family::Dense => "Every expert serves every token",
            Family::TokenMerging => "Experts process blends of tokens",
            Family::ExpertMerging => "Experts are averaged into one",
            Family::SharedExperts => "Everybody uses them, beside the routed ones",
            Family::ParameterEfficient => "Small additions to a frozen network",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}
