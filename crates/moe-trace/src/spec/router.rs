//! Routing rules as data: every rule that assigns tokens to experts by gate logits, with its numbers.
//!
//! Each is declared and explained, with its paper, in the file of `moe-router` that runs it: its name, its text, and what
//! else must be known of it. The list of all rules is `moe_router::rules`. Rules that blend instead of choosing are in [`MixerSpec`](crate::MixerSpec).

use serde::{Deserialize, Serialize};

use crate::tagged::tagged;

/// Which experts a token asks, and with what weight. `moe-router` checks a spec once and then runs it.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "codegen", ts(tag = "rule", rename_all = "snake_case"))]
#[cfg_attr(feature = "codegen", schemars(tag = "rule", rename_all = "snake_case"))]
pub enum RouterSpec {
    /// Every expert, weighted by the whole softmax (Jacobs et al. 1991). Nobody is ever turned away.
    Dense,
    /// The one most probable expert, weighted by its probability (Switch, arXiv:2101.03961, section 2.1).
    Switch,
    /// The `k` most probable experts (Mixtral, OLMoE, …).
    TopK { k: u32, weighting: Weighting },
    /// Two experts, the second one optional (GShard, arXiv:2006.16668, algorithm 1).
    Gshard { second: SecondExpert, normalise: Normalise },

    /// Top-k of the logits plus normal noise, renormalised (Shazeer 2017). `std` holds where no learned deviations are
    /// passed in.
    Noisy { k: u32, std: f32 },
    /// Top-k of logits brought to the same spread for every token (Skywork-MoE), renormalised.
    LogitNorm { k: u32, lambda: f32 },
    /// Softmax of noisy logits at a temperature; weights up to the threshold are dropped (EvoMoE). Dropless.
    DenseToSparse { temperature: f32, threshold: f32 },
    /// Sigmoid scores, a selection bias, `kept` of `groups` groups by their two best experts, then the `k` best
    /// (DeepSeek-V3). 1 of 1 groups for none.
    Deepseek { k: u32, groups: u32, kept: u32, scale: f32 },
    /// Softmax scores and groups by their one best expert: the device limit of DeepSeek-V2.
    DeepseekV2 { k: u32, groups: u32, kept: u32, scale: f32 },

    /// As many experts as it takes for their probabilities to exceed a threshold. Dropless.
    TopP { threshold: f32 },
    /// Every expert with a positive logit, weighted by it (ReMoE). Dropless.
    Relu,
    /// Every expert whose logit exceeds its threshold, or the best one; all weigh the same (DynMoE). `threshold` holds
    /// where no learned thresholds are passed in. Dropless.
    TopAny { threshold: f32 },
    /// Top-k where the last `nulls` columns of the gate are experts that compute nothing (AdaMoE). Dropless.
    NullExperts { k: u32, nulls: u32 },

    /// `k_groups` of `groups` groups of neighbours, then `k_within` experts in each (Shazeer 2017, appendix B).
    Hierarchical { groups: u32, k_groups: u32, k_within: u32 },
    /// The best expert of each of so many groups (M6-T).
    Prototypes { count: u32 },

    /// One decision for a whole sequence, from its mean logits (sentence-level routing).
    PerSequence { k: u32 },
    /// The expert is a hash of the token's id.
    Hash { seed: u32 },
    /// The expert is read from a table that deals frequent ids out evenly.
    BalancedHash,
    /// Any expert.
    Random,

    /// Every expert takes its best tokens, so that a token has so many experts on average. Never overflows.
    ExpertChoice { average: f32 },
    /// Every expert keeps its best tokens; a token's weights are normalised over those that keep it (Shazeer 2017,
    /// appendix F). Never overflows.
    StrictlyBalanced { k: u32 },
    /// Top-k of a balanced transport plan in training, of the logits at inference (S-BASE).
    Sinkhorn { k: u32, choice: SinkhornChoice },
    /// An equal number of tokens for every expert in training, the best expert at inference (BASE). Never overflows.
    Base { solver: BaseSolver },
    /// Switch, but who is turned away tries the next best expert (Switch, appendix B).
    NoTokenLeftBehind { tries: u32 },
}

tagged! {
    RouterSpec by "rule" {
        "dense" Dense
        "switch" Switch
        "top_k" TopK { k, weighting }
        "gshard" Gshard { second, normalise }
        "noisy" Noisy { k, std }
        "logit_norm" LogitNorm { k, lambda }
        "dense_to_sparse" DenseToSparse { temperature, threshold }
        "deepseek" Deepseek { k, groups, kept, scale }
        "deepseek_v2" DeepseekV2 { k, groups, kept, scale }
        "top_p" TopP { threshold }
        "relu" Relu
        "top_any" TopAny { threshold }
        "null_experts" NullExperts { k, nulls }
        "hierarchical" Hierarchical { groups, k_groups, k_within }
        "prototypes" Prototypes { count }
        "per_sequence" PerSequence { k }
        "hash" Hash { seed }
        "balanced_hash" BalancedHash
        "random" Random
        "expert_choice" ExpertChoice { average }
        "strictly_balanced" StrictlyBalanced { k }
        "sinkhorn" Sinkhorn { k, choice }
        "base" Base { solver }
        "no_token_left_behind" NoTokenLeftBehind { tries }
    }
}

/// What the weights of the chosen experts are.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "codegen", ts(tag = "form", rename_all = "snake_case"))]
#[cfg_attr(feature = "codegen", schemars(tag = "form", rename_all = "snake_case"))]
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

tagged! {
    Weighting by "form" {
        "raw" Raw
        "norm" Norm
        "softmax_after" SoftmaxAfter
        "p_norm" PNorm { p }
    }
}

/// When GShard's second expert is asked at all. `g2` is the second weight after normalisation over the pair, `u` a
/// uniform draw in [0, 1).
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "codegen", ts(tag = "when", rename_all = "snake_case"))]
#[cfg_attr(feature = "codegen", schemars(tag = "when", rename_all = "snake_case"))]
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

tagged! {
    SecondExpert by "when" {
        "always" Always
        "never" Never
        "threshold" Threshold { threshold }
        "random" Random { threshold }
        "proportional" Proportional
        "sampled" Sampled
    }
}

/// Whether GShard's weights are divided by their sum over both chosen experts or only over those that were kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Normalise {
    BeforeDrop,
    AfterDrop,
}

/// What S-BASE selects by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SinkhornChoice {
    /// The transport plan of the whole group: training.
    Balanced,
    /// The logits, without a plan: inference.
    Greedy,
}

/// How BASE assigns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum BaseSolver {
    /// The paper's auction, nearly the best balance: training.
    Auction,
    /// The best balance there is.
    Exact,
    /// The best expert, without any balance: inference.
    Greedy,
}
