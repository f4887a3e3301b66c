//! The range of every number a reader can set.

use std::ops::RangeInclusive;

pub const CAPACITY_FACTOR: RangeInclusive<f32> = 0.25..=4.0;
/// A prompt may be longer in its field, but no engine is asked about it. What a model sees is counted in its tokens, by
/// the engine: this only keeps absurd texts from it.
pub const MAX_PROMPT_CHARS: usize = 20_000;
/// Of the texts of a batch together, as a link holds them.
pub const MAX_BATCH_CHARS: usize = 20_000;
pub const NEW_TOKENS: RangeInclusive<u32> = 0..=256;
pub const TEMPERATURE: RangeInclusive<f32> = 0.1..=2.0;
/// The sliders' ranges; a text may go beyond.
pub const ROUTER_TEMPERATURE: RangeInclusive<f32> = 0.25..=4.0;
pub const GATE_NOISE: RangeInclusive<f32> = 0.0..=2.0;
/// 0 means all.
pub const TOP_K: u32 = 1000;
pub const TOP_P: RangeInclusive<f32> = 0.05..=1.0;
