//! The rule of every layer: of requests or of shares.

use moe_router::{Mixer, Router, SpecError};
use moe_trace::training::TrainedRule;

/// A rule, checked against the number of columns a gate has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// Tokens ask experts.
    Assigns(Router),
    /// Tokens are blended into slots, or experts into one; [`mixed`](super::mixed) computes some of these rules.
    Mixes(Mixer),
}

impl Rule {
    pub fn new(spec: impl Into<TrainedRule>, num_columns: usize) -> Result<Rule, SpecError> {
        Ok(match spec.into() {
            TrainedRule::Assigns(spec) => Rule::Assigns(Router::new(spec, num_columns)?),
            TrainedRule::Mixes(spec) => Rule::Mixes(Mixer::new(spec, num_columns)?),
        })
    }

    /// What it was made from.
    pub fn spec(&self) -> TrainedRule {
        match self {
            Rule::Assigns(router) => TrainedRule::Assigns(*router.spec()),
            Rule::Mixes(mixer) => TrainedRule::Mixes(*mixer.spec()),
        }
    }
}

impl From<&Router> for Rule {
    fn from(router: &Router) -> Rule {
        Rule::Assigns(*router)
    }
}
