//! What must be known of a rule by code that does something for one rule and not for another: what it reads, whether it
//! may turn tokens away, what chance it needs.
//!
//! A fact is stated once, in the rule's own file, and checked against what the rule does (`tests/it/facts.rs`).
//!
//! ```
//! use moe_router::rule::{Chance, GateReads};
//! use moe_router::rules;
//!
//! let facts = rules::facts(&rules::parse_router("noisy:k=2,std=1")?);
//! assert_eq!((facts.reads, facts.chance), (GateReads::OtherSoftmax, Chance::Noise));
//! assert!(facts.may_overflow() && !facts.looks_ahead);
//! assert_eq!(facts.k(8), 2);
//! # Ok::<(), moe_trace::ParseSpecError>(())
//! ```

use moe_trace::GateLogits;

use crate::gate::{sigmoid, softmax};

/// All of them, of one rule with its numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Facts {
    /// What it reads off the gate: the raw weights of its requests are of this kind.
    pub reads: GateReads,
    /// Do its weights depend on the gate, so that training teaches it?
    pub gate_learns: bool,
    /// How many experts a token asks.
    pub requests: Requests,
    /// What becomes of requests to an expert that is full.
    pub slots: Slots,
    /// Does the rule itself look at later tokens, before any question of slots?
    pub looks_ahead: bool,
    /// What it leaves to chance.
    pub chance: Chance,
    /// What it looks at besides gate logits and draws.
    pub besides: Besides,
}

/// What a rule reads off the gate, and hence what the numbers beside its requests may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateReads {
    /// Softmax over the experts: the gate probabilities.
    Softmax,
    /// A sigmoid of each logit by itself: scores that compete with none and sum to nothing.
    Sigmoid,
    /// The softmax of the mean logits of the whole sequence, the same for all its tokens.
    WholeText,
    /// Probabilities of another kind: of noisy or rescaled logits, within groups, of a transport plan.
    OtherSoftmax,
    /// The logits as they are.
    Logits,
    /// Nothing: the experts are known before any gate.
    Nothing,
}

/// How many experts a token asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requests {
    /// So many, every token.
    Exactly(u32),
    /// All there are, every token.
    Everyone,
    /// One at least, all at most.
    OneOrMore,
    /// Any number, none included.
    AnyNumber,
}

/// What becomes of requests to an expert that is full.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Slots {
    /// The spec decides, by its capacity, order and priority.
    BySpec,
    /// The capacity is the spec's, the order the rule's own: by position, whatever the spec says. Later tokens may
    /// come before an earlier one's second try.
    OwnOrder {
        /// Do they?
        looks_ahead: bool,
    },
    /// None ever is: by its nature the rule serves every request, and a capacity is ignored.
    ForEveryone,
    /// Experts take their tokens, as many as they have slots, whatever the spec says.
    Filled {
        /// Experts per token on average.
        average: f32,
    },
}

/// What a rule leaves to chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chance {
    /// Nothing.
    Nothing,
    /// The gate is noisy in training; all papers leave the noise out at inference.
    Noise,
    /// A draw decides about a second expert in training. A live run draws, too, to show it; held-out text is scored
    /// without.
    SecondExpert,
    /// The choice itself: without draws it would be another rule.
    Everything,
}

/// What a rule looks at besides gate logits and draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Besides {
    /// Nothing.
    Nothing,
    /// The tokens' ids.
    TokenIds,
    /// The tokens' ids, and how often each occurs in the training text.
    TokenFrequencies,
    /// Which sequence a token is of.
    Sequences,
    /// A selection bias that balancing has learned; none counts as 0.
    LearnedBias,
    /// Deviations of the noise, where there are learned ones.
    LearnedNoise,
    /// Thresholds of the experts, where there are learned ones.
    LearnedThresholds,
    /// What a first gate over so many groups said, where there is one.
    GroupLogits {
        /// Columns of that gate.
        groups: u32,
    },
}

impl Facts {
    /// What is true of Switch, and of most rules but for a fact or two: by softmax, one expert per token, slots by the
    /// spec, no look ahead, no chance, nothing besides.
    pub const OF_SWITCH: Facts = Facts {
        reads: GateReads::Softmax,
        gate_learns: true,
        requests: Requests::Exactly(1),
        slots: Slots::BySpec,
        looks_ahead: false,
        chance: Chance::Nothing,
        besides: Besides::Nothing,
    };

    /// Requests a token may make, as counted in the capacity formula. Rules with a number of their own for every token
    /// count with the most they may make.
    pub fn k(&self, num_experts: usize) -> usize {
        match self.requests {
            Requests::Exactly(k) => k as usize,
            Requests::Everyone | Requests::OneOrMore | Requests::AnyNumber => num_experts,
        }
    }

    /// Experts that every token asks, where the rule sets a number.
    pub fn top_k(&self, num_experts: u32) -> Option<u32> {
        match self.requests {
            Requests::Exactly(k) => Some(k),
            Requests::Everyone => Some(num_experts),
            Requests::OneOrMore | Requests::AnyNumber => None,
        }
    }

    /// Experts at work for a token: those it asks, or those that take it on average, rounded up.
    pub fn num_active(&self, num_experts: usize) -> usize {
        match self.slots {
            Slots::Filled { average } => (average.ceil() as usize).min(num_experts),
            Slots::BySpec | Slots::OwnOrder { .. } | Slots::ForEveryone => self.k(num_experts),
        }
    }

    /// Can an expert be full when a token asks it?
    pub fn may_overflow(&self) -> bool {
        match self.slots {
            Slots::BySpec | Slots::OwnOrder { .. } => true,
            Slots::ForEveryone | Slots::Filled { .. } => false,
        }
    }

    /// Do the experts take tokens, instead of being asked by them?
    pub fn fills_experts(&self) -> bool {
        matches!(self.slots, Slots::Filled { .. })
    }

    /// Does the rule give slots out by position, whatever order and priority the spec has?
    pub fn serves_by_position(&self) -> bool {
        matches!(self.slots, Slots::OwnOrder { .. })
    }
}

impl GateReads {
    /// What is read for every token and expert, between 0 and 1, `[tokens, experts]`; empty where the gate is not read.
    /// Where a rule changes the logits first, or takes them as they are, the softmax of what the gate said.
    pub fn values(self, gate_logits: &GateLogits) -> Vec<f32> {
        let of_row = |logits: &[f32]| match self {
            GateReads::Nothing => Vec::new(),
            GateReads::Sigmoid => logits.iter().map(|&logit| sigmoid(f64::from(logit))).collect(),
            GateReads::Softmax | GateReads::WholeText | GateReads::OtherSoftmax | GateReads::Logits => softmax(logits),
        };
        gate_logits.rows().flat_map(of_row).map(|value| value as f32).collect()
    }

    /// The same as shares of 1 for every token, `[tokens, experts]`: sigmoids over their sum (DeepSeek-V3,
    /// arXiv:2412.19437, eq. 19), else the softmax, also where no gate is read.
    pub fn shares(self, gate_logits: &GateLogits) -> Vec<f32> {
        let of_row = |logits: &[f32]| match self {
            GateReads::Sigmoid => {
                let scores: Vec<f64> = logits.iter().map(|&logit| sigmoid(f64::from(logit))).collect();
                let sum = scores.iter().sum::<f64>().max(f64::MIN_POSITIVE);
                scores.into_iter().map(|score| score / sum).collect()
            }
            _ => softmax(logits),
        };
        gate_logits.rows().flat_map(of_row).map(|share| share as f32).collect()
    }
}

impl Chance {
    /// Does training draw anew at every step?
    pub fn draws_in_training(self) -> bool {
        self != Chance::Nothing
    }

    /// Does a run that shows the rule draw?
    pub fn draws_live(self) -> bool {
        matches!(self, Chance::SecondExpert | Chance::Everything)
    }

    /// Is held-out text scored with draws?
    pub fn draws_when_scored(self) -> bool {
        self == Chance::Everything
    }
}

impl Besides {
    /// Is it in a trace, so that what was recorded can be routed again?
    pub fn is_in_a_trace(self) -> bool {
        match self {
            Besides::LearnedBias | Besides::TokenFrequencies => false,
            // What no model of ours has learned is nowhere missing.
            Besides::LearnedNoise | Besides::LearnedThresholds | Besides::GroupLogits { .. } => true,
            // A group of a trace is one sequence.
            Besides::Nothing | Besides::TokenIds | Besides::Sequences => true,
        }
    }

    /// Does it tell the texts of a group apart, so that all of each has to be there?
    pub fn is_of_whole_texts(self) -> bool {
        self == Besides::Sequences
    }

    /// Does a model know it, so that it can be run on any text?
    pub fn is_in_a_model(self) -> bool {
        self != Besides::TokenFrequencies
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_a_sigmoid_gate_are_its_scores_over_their_sum() {
        let gate_logits = GateLogits::new(2, vec![0.0, 3.0f32.ln()]).expect("one token");
        let check = |reads: GateReads, values: &[f32], shares: [f32; 2]| {
            let is_close = |(found, expected): (&f32, &f32)| (found - expected).abs() < 1e-6;
            let found = reads.values(&gate_logits);
            assert!(found.len() == values.len() && found.iter().zip(values).all(is_close), "{reads:?}: {found:?}");
            let found = reads.shares(&gate_logits);
            assert!(found.iter().zip(&shares).all(is_close), "{reads:?}: {found:?}");
        };
        // Sigmoids 1/2 and 3/4 of a sum of 5/4; exponentials 1 and 3.
        check(GateReads::Sigmoid, &[0.5, 0.75], [0.4, 0.6]);
        check(GateReads::Softmax, &[0.25, 0.75], [0.25, 0.75]);
        check(GateReads::Nothing, &[], [0.25, 0.75]);
    }
}
