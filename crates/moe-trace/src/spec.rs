//! Routing algorithms and their numbers as data. `moe-router` checks a spec once and then runs it.

use serde::{Deserialize, Serialize};

/// How a layer routes: who asks whom, and what happens when an expert is full.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RoutingSpec {
    pub router: RouterSpec,
    pub overflow: Overflow,
}

/// Which experts a token asks, and with what weight.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum RouterSpec {
    /// Every expert, weighted by the whole softmax (Jacobs et al. 1991). Nobody is ever turned away.
    Dense,
    /// The one most probable expert, weighted by its probability (Switch, arXiv:2101.03961, section 2.1).
    Switch,
    /// The `k` most probable experts (Mixtral, OLMoE, …).
    TopK { k: u32, weighting: Weighting },
    /// Two experts, the second one optional (GShard, arXiv:2006.16668, algorithm 1).
    Gshard { second: SecondExpert, normalise: Normalise },
}

/// What the weights of the chosen experts are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "form", rename_all = "snake_case")]
pub enum Weighting {
    /// Their gate probabilities as they are (OLMoE, Qwen2-MoE); the sum is below 1.
    Raw,
    /// Their gate probabilities divided by their sum (Mixtral, Qwen3-MoE).
    Norm,
    /// Softmax over the chosen logits alone (Shazeer 2017, Granite, gpt-oss). Equal to `Norm` but for rounding.
    SoftmaxAfter,
    /// Their gate probabilities divided by their p-norm (DBRX).
    PNorm { p: f32 },
}

/// When GShard's second expert is asked at all. `g2` is the second weight after normalisation over the pair, `u` a
/// uniform draw in [0, 1).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "when", rename_all = "snake_case")]
pub enum SecondExpert {
    Always,
    Never,
    /// `g2 > threshold`.
    Threshold {
        threshold: f32,
    },
    /// `u < g2 / threshold` (mesh-TensorFlow, ST-MoE).
    Random {
        threshold: f32,
    },
    /// `2 · g2 > u` (GShard's paper).
    Proportional,
    /// Always, but drawn among the others by the Gumbel trick instead of being the next best (DeepSpeed).
    Sampled,
}

/// Whether GShard's weights are divided by their sum over both chosen experts or only over those that were kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Normalise {
    BeforeDrop,
    AfterDrop,
}

/// What happens when more tokens ask an expert than it has slots.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Overflow {
    /// Every request is served (MegaBlocks).
    Dropless,
    /// An expert has `capacity` slots per group; later requests lose.
    Drop(CapacitySpec),
}

/// How many slots an expert has, and who gets them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct CapacitySpec {
    /// `cf` in `C = min(T, max(minimum, ceil(cf · k · T / E)))`.
    pub factor: f32,
    pub rounding: Rounding,
    /// Slots an expert has at least.
    pub minimum: u32,
    pub order: SlotOrder,
    pub priority: Priority,
}

/// How sources round the capacity (ROUTING 0.4). `Ceil` is the adopted one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
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
}

/// The order in which requests are offered slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum SlotOrder {
    /// Token after token, each with all its choices (MegaBlocks). Causal: a later token displaces nobody.
    TokenMajor,
    /// All first choices, then all second ones (GShard). Looks at later tokens.
    RankMajor,
}

/// Which tokens are offered slots first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// In order of position.
    Position,
    /// Batch-prioritised: the most confident token first, by its largest gate probability (V-MoE).
    BprMax,
    /// Batch-prioritised by the sum of the chosen experts' probabilities.
    BprSum,
}

/// The overflow policies of the page's menu: each names an `Overflow` and, for `random_second`, a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
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
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum RoutingGroup {
    /// The whole text so far is one group and is run again at every step, as in training and prefill.
    #[default]
    ThisText,
    /// Each step routes one token with a key-value cache. Nothing can overflow.
    DecodeStep,
}

impl Default for CapacitySpec {
    /// The capacity the shipped models were trained with: factor 1.25, token-major slots in order of position.
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

impl RouterSpec {
    /// Requests a token may make, as counted in the capacity formula.
    pub fn k(&self, num_experts: usize) -> usize {
        match self {
            RouterSpec::Dense => num_experts,
            RouterSpec::Switch => 1,
            RouterSpec::TopK { k, .. } => *k as usize,
            RouterSpec::Gshard { .. } => 2,
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

    /// Does any decision about a token depend on later tokens of its group? (ROUTING 7.)
    ///
    /// The capacity's own dependence on the length of the text is not counted.
    pub fn uses_the_future(&self, num_experts: usize) -> bool {
        match self.overflow {
            Overflow::Dropless => false,
            _ if self.router == RouterSpec::Dense => false,
            Overflow::Drop(slots) => {
                let several = self.router.k(num_experts) > 1;
                slots.priority != Priority::Position || (several && slots.order == SlotOrder::RankMajor)
            }
        }
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
