//! Rules that blend instead of choosing, as data: tokens are mixed into slots, or experts into one.

use serde::{Deserialize, Serialize};

use crate::tagged::tagged;

/// What is blended, and by which shares. `moe-router` checks a spec once and then runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "codegen", ts(tag = "rule", rename_all = "snake_case"))]
#[cfg_attr(feature = "codegen", schemars(tag = "rule", rename_all = "snake_case"))]
pub enum MixerSpec {
    /// Every slot gets a blend of all tokens and every token one of all slots; so many slots per expert (Soft MoE). The
    /// gate has a column per slot.
    SoftMoe { slots: u32 },
    /// One merged expert per sequence, by the softmax of its mean logits (SMEAR).
    Smear,
    /// The same of the `k` best experts only (MEO).
    Meo { k: u32 },
    /// One merged expert per segment of so many tokens, by the mean of the segment before (Lory).
    Lory { segment: u32 },
    /// LoRA experts, blended per token by the whole softmax, or by its `k` largest shares as they are (MoLoRA).
    Molora { k: Option<u32> },
    /// Vector experts, blended per token by the whole softmax (MoV).
    Mov,
    /// LoRA experts, blended per token by the whole softmax, some of them for world knowledge (LoRAMoE).
    Loramoe,
    /// LoRA experts, the best two per token with renormalised shares (MixLoRA).
    Mixlora,
    /// Experts that are always on beside the routed ones (DeepSeekMoE, Qwen). The gate has a column per shared expert,
    /// of which only `Sigmoid` reads the numbers.
    Shared { gate: SharedGate },
}

tagged! {
    MixerSpec by "rule" {
        "soft_moe" SoftMoe { slots }
        "smear" Smear
        "meo" Meo { k }
        "lory" Lory { segment }
        "molora" Molora { k }
        "mov" Mov
        "loramoe" Loramoe
        "mixlora" Mixlora
        "shared" Shared { gate }
    }
}

/// How much a shared expert counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SharedGate {
    /// Always 1 (DeepSeekMoE).
    None,
    /// The sigmoid of its logit (Qwen2-MoE).
    Sigmoid,
}
