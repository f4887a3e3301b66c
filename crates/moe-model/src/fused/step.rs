//! What goes into one forward pass of the fused path, and what comes out.

use moe_trace::LayerTrace;

use crate::routing_inputs::RoutingInputs;

/// What goes into one forward pass.
#[derive(Debug, Clone, Copy)]
pub struct StepInput<'a> {
    /// The tokens of this pass. Which of them share capacity, the pass says.
    pub ids: &'a [u32],
    /// Position in the text of `ids[0]`; earlier positions are in the cache from passes before.
    pub first_position: usize,
    /// What routing sees besides gate logits, one per layer, of all tokens that are routed together; or empty for rules
    /// that need nothing.
    pub inputs: &'a [RoutingInputs],
}

/// What comes out of one forward pass.
#[derive(Debug, Clone, PartialEq)]
pub struct StepOutput {
    pub layers: Vec<LayerTrace>,
    /// Nats of `ids[t + 1]` after `ids[..=t]`, `[tokens - 1]`; none where several texts go in step.
    pub losses: Vec<f32>,
    /// Logits after the last token, `[vocabulary]`; where several texts go in step, after each token,
    /// `[tokens, vocabulary]`.
    pub logits: Vec<f32>,
    /// How many tokens went through the model for it; the numbers of the others were known.
    pub num_computed: usize,
}

impl StepOutput {
    /// The first difference in what the model says, in words: decisions exactly, numbers to
    /// `|a − b| ≤ tolerance · max(1, |b|)`.
    pub fn difference(&self, other: &StepOutput, tolerance: f32) -> Option<String> {
        if self.layers.len() != other.layers.len() {
            return Some("there is another number of layers".to_owned());
        }
        let in_layers = self.layers.iter().zip(&other.layers);
        let in_layers =
            in_layers.filter_map(|(a, b)| Some(format!("layer {}: {}", a.layer, a.difference(b, tolerance)?)));
        let numbers = [("loss", &self.losses, &other.losses), ("logit", &self.logits, &other.logits)];
        let in_numbers = numbers.into_iter().filter_map(|(what, a, b)| {
            if a.len() != b.len() {
                return Some(format!("there are {} numbers of kind {what}, not {}", a.len(), b.len()));
            }
            let far = |(a, b): &(&f32, &f32)| (**a - **b).abs() > tolerance * b.abs().max(1.0);
            let (at, (a, b)) = a.iter().zip(b).enumerate().find(|(_, pair)| far(pair))?;
            Some(format!("{what} {at} is {a}, not {b}"))
        });
        in_layers.chain(in_numbers).next()
    }
}
