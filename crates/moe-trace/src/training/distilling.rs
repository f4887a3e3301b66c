//! A model of experts that teaches one with a single feed-forward a layer, as page and trainer speak of it.

use serde::{Deserialize, Serialize};

/// How experts are distilled into one feed-forward: first each layer by itself, then all together on the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Distilling {
    /// Steps in which each layer learns what the layer of experts says of the same states.
    pub layer_steps: u32,
    /// Steps that follow, in which the model learns from the text and from what the teacher expects.
    pub text_steps: u32,
}

/// What a step learned from a teacher: how far from it the student was before, on the step's batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Taught {
    /// Of each MoE layer: squared error over the squares of what the experts say; 0 where it says the same, 1 where it
    /// says nothing.
    Layers(Vec<f32>),
    /// Kullback-Leibler divergence of the student's expectations from the teacher's, nats per token.
    Divergence(f32),
}

impl Distilling {
    pub fn num_steps(&self) -> u32 {
        self.layer_steps.saturating_add(self.text_steps)
    }
}
