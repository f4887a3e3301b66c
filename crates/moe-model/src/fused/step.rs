//! What goes into one forward pass of the fused path, and what comes out.

use moe_trace::LayerTrace;

use crate::routing_inputs::RoutingInputs;

/// What goes into one forward pass.
#[derive(Debug, Clone, Copy)]
pub struct StepInput<'a> {
    /// The tokens of this pass, which share capacity.
    pub ids: &'a [u32],
    /// Position in the text of `ids[0]`; earlier positions are in the cache from passes before.
    pub first_position: usize,
    /// What routing sees besides gate logits, one per layer; or empty for rules that need nothing.
    pub inputs: &'a [RoutingInputs],
}

/// What comes out of one forward pass.
#[derive(Debug)]
pub struct StepOutput {
    pub layers: Vec<LayerTrace>,
    /// Nats of `ids[t + 1]` after `ids[..=t]`, `[tokens - 1]`.
    pub losses: Vec<f32>,
    /// Logits after the last token, `[vocabulary]`.
    pub logits: Vec<f32>,
}
