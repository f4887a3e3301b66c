//! Which routing rules the kernels decide by themselves, and with which numbers.

use moe_router::Router;
use moe_trace::{Normalise, Overflow, Priority, RouterSpec, SecondExpert, SlotOrder, Weighting};

/// A rule as the kernels `route_alone`, or `gate_top_k`, `token_order` and `assign_slots` know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceRule {
    pub k: usize,
    /// Are weights a softmax over the chosen logits alone, or gate probabilities as they are?
    pub normalised: bool,
    /// `None`: nobody is turned away.
    pub capacity: Option<u32>,
    pub rank_major: bool,
    /// Are slots offered to the most confident tokens first?
    pub by_confidence: bool,
    /// Is the second expert asked only if `2 g > draw`?
    pub random_second: bool,
    /// Is each token of a pass a group of its own?
    pub alone: bool,
}

impl DeviceRule {
    /// The rule of a group of one token, for several such tokens at once. A token asks an expert once at most, so an
    /// expert that has slots serves everybody.
    pub fn for_tokens_alone(self) -> DeviceRule {
        let capacity = self.capacity.filter(|&slots| slots == 0);
        DeviceRule { capacity, rank_major: false, by_confidence: false, alone: true, ..self }
    }

    /// The rule for a group of `num_tokens`, or `None` where only the host knows it.
    pub fn new(router: &Router, num_tokens: usize) -> Option<DeviceRule> {
        let spec = router.spec();
        let (normalised, random_second) = match spec.router {
            RouterSpec::Dense | RouterSpec::Switch => (false, false),
            RouterSpec::TopK { weighting: Weighting::Raw, .. } => (false, false),
            RouterSpec::TopK { weighting: Weighting::Norm | Weighting::SoftmaxAfter, .. } => (true, false),
            RouterSpec::Gshard { second: SecondExpert::Always, normalise: Normalise::BeforeDrop } => (true, false),
            RouterSpec::Gshard { second: SecondExpert::Proportional, normalise: Normalise::BeforeDrop } => (true, true),
            _ => return None,
        };
        let rule = DeviceRule {
            k: router.k(),
            normalised,
            capacity: router.capacity(num_tokens),
            rank_major: false,
            by_confidence: false,
            random_second,
            alone: false,
        };
        match (spec.overflow, rule.capacity) {
            // Where nobody is turned away, slots are numbered by position.
            (Overflow::Dropless, _) | (_, None) => Some(rule),
            (Overflow::Drop(slots), Some(_)) => Some(DeviceRule {
                rank_major: slots.order == SlotOrder::RankMajor,
                by_confidence: match slots.priority {
                    Priority::Position => false,
                    Priority::BprMax => true,
                    _ => return None,
                },
                ..rule
            }),
        }
    }
}
