//! How a layer routes, as data: the rule, what happens when an expert is full, and the policies of the page's menu.

use serde::{Deserialize, Serialize};

use crate::tagged::tagged;

mod mixer;
mod router;

pub use mixer::{MixerSpec, SharedGate};
pub use router::{BaseSolver, Normalise, RouterSpec, SecondExpert, SinkhornChoice, Weighting};

/// How a layer routes: who asks whom, and what happens when an expert is full.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct RoutingSpec {
    pub router: RouterSpec,
    pub overflow: Overflow,
}

/// What happens when more tokens ask an expert than it has slots.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "codegen", ts(tag = "kind", rename_all = "snake_case"))]
#[cfg_attr(feature = "codegen", schemars(tag = "kind", rename_all = "snake_case"))]
pub enum Overflow {
    /// Every request is served (MegaBlocks).
    Dropless,
    /// An expert has `capacity` slots per group; later requests lose.
    Drop(CapacitySpec),
}

tagged! {
    Overflow by "kind" {
        "dropless" Dropless
        "drop" Drop(CapacitySpec { factor, rounding, minimum, order, priority })
    }
}

/// How many slots an expert has, and who gets them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct CapacitySpec {
    /// `cf` in `C = min(T, max(minimum, ceil(cf · k · T / E)))`.
    pub factor: f32,
    pub rounding: Rounding,
    /// Slots an expert has at least.
    pub minimum: u32,
    pub order: SlotOrder,
    pub priority: Priority,
}

/// How sources round the capacity. `Ceil` is the adopted one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// `ceil(cf · k · T / E)`, at most T.
    Ceil,
    /// `floor(cf · k · T / E)` (MegaBlocks).
    Floor,
    /// Half to even, k included (V-MoE's option).
    Round,
    /// `min(T, floor(cf · T / E))`: k is not included (mesh-TensorFlow).
    Mesh,
    /// `k · floor(cf · ceil(T / E))` (Tutel).
    Tutel,
    /// `k · ceil(T / E)`: no factor (fairseq in training).
    Fairseq,
    /// `ceil(T / 4)`: neither factor nor k (fairseq and NLLB at evaluation, by their default of a quarter).
    FairseqEval,
    /// `round(cf · T / E)`, half to even: k is not included (flaxformer).
    Flaxformer,
    /// `ceil(cf · k · T / E)`, up to the next multiple of 4 (V-MoE's code).
    Vmoe,
}

/// The order in which requests are offered slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SlotOrder {
    /// Token after token, each with all its choices (MegaBlocks). Causal: a later token displaces nobody.
    TokenMajor,
    /// All first choices, then all second ones (GShard). Looks at later tokens.
    RankMajor,
}

/// Which tokens are offered slots first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// In order of position.
    Position,
    /// Batch-prioritised: the most confident token first, by its largest gate probability (V-MoE).
    BprMax,
    /// Batch-prioritised by the sum of the chosen experts' probabilities.
    BprSum,
    /// In one shuffled order for all experts, by lot.
    Random,
    /// Each full expert keeps the requests with the highest lots of its own (random token selection, DeepSpeed). The
    /// order of slots does not matter.
    RandomPerExpert,
    /// Each full expert keeps the requests with the largest raw weights, whatever their rank (Megatron). The order of
    /// slots does not matter.
    Probability,
}

/// The overflow policies of the page's menu: each names an `Overflow` and, for `random_second`, a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// First come, first served; the rest pass by the residual.
    #[default]
    Drop,
    /// The most confident tokens are served first.
    Bpr,
    /// GShard: the second expert is asked with probability `2 · g2`.
    RandomSecond,
    /// Nobody is turned away.
    Dropless,
}

/// The tokens that share capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RoutingGroup {
    /// The whole text so far is one group and is routed anew at every step, as in training and prefill.
    #[default]
    ThisText,
    /// Each step routes one token with a key-value cache. Nothing can overflow.
    DecodeStep,
    /// Up to eight texts decode in step, as a server's would: each step routes one token of each that goes on, and these
    /// share the capacity. Whose request is lost depends on the others.
    Batch,
}

impl Default for CapacitySpec {
    /// The capacity most shipped models were trained with: factor 1.25, token-major slots in order of position.
    fn default() -> CapacitySpec {
        CapacitySpec {
            factor: 1.25,
            rounding: Rounding::Ceil,
            minimum: 1,
            order: SlotOrder::TokenMajor,
            priority: Priority::Position,
        }
    }
}

impl Default for RoutingSpec {
    /// Top-2 with renormalised weights under the default capacity.
    fn default() -> RoutingSpec {
        RoutingSpec {
            router: RouterSpec::TopK { k: 2, weighting: Weighting::Norm },
            overflow: Overflow::Drop(CapacitySpec::default()),
        }
    }
}

impl RoutingSpec {
    /// Top-`k` routing with renormalised weights (raw for k = 1, whose weight would otherwise be the constant 1)
    /// under a policy of the page's menu.
    pub fn with_policy(k: u32, policy: Policy, factor: f32) -> RoutingSpec {
        let weighting = if k == 1 { Weighting::Raw } else { Weighting::Norm };
        let top_k = RouterSpec::TopK { k, weighting };
        let slots = CapacitySpec { factor, ..CapacitySpec::default() };
        match policy {
            Policy::Drop => RoutingSpec { router: top_k, overflow: Overflow::Drop(slots) },
            Policy::Bpr => {
                let slots = CapacitySpec { priority: Priority::BprMax, order: SlotOrder::RankMajor, ..slots };
                RoutingSpec { router: top_k, overflow: Overflow::Drop(slots) }
            }
            Policy::RandomSecond => {
                let second = SecondExpert::Proportional;
                let router = RouterSpec::Gshard { second, normalise: Normalise::BeforeDrop };
                RoutingSpec { router, overflow: Overflow::Drop(slots) }
            }
            Policy::Dropless => RoutingSpec { router: top_k, overflow: Overflow::Dropless },
        }
    }

    /// Do both route by the same rule and let in by the same policy? The capacity factor is a number, not a rule.
    pub fn is_same_rule(&self, other: &RoutingSpec) -> bool {
        let mut adjusted = *self;
        if let (Overflow::Drop(slots), Overflow::Drop(others)) = (&mut adjusted.overflow, other.overflow) {
            slots.factor = others.factor;
        }
        adjusted == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_factor_is_the_same_rule_another_policy_is_not() {
        let trained = RoutingSpec::default();
        assert!(RoutingSpec::with_policy(2, Policy::Drop, 0.5).is_same_rule(&trained));
        assert!(!RoutingSpec::with_policy(1, Policy::Drop, 1.25).is_same_rule(&trained));
        assert!(!RoutingSpec::with_policy(2, Policy::Bpr, 1.25).is_same_rule(&trained));
        assert!(!RoutingSpec::with_policy(2, Policy::Dropless, 1.25).is_same_rule(&trained));
    }
}
