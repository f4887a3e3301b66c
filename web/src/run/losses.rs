//! The auxiliary losses of the text in sight, layer by layer, from the gate logits and decisions that were recorded.

use moe_router::auxiliary::{self, AuxiliaryLoss, Measured, Missing, Seen};
use moe_router::rules;

use crate::run::scene::Scene;

/// A loss with its value in a layer, or what it needs that is not there.
pub type Found = (&'static AuxiliaryLoss, Result<Measured, Missing>);

/// All losses in a layer, in the order of their list.
pub fn of_layer(scene: &Scene, layer: usize) -> Vec<Found> {
    let gate_logits = scene.gate_logits(layer);
    let Some(of_layer) = scene.layers.get(layer) else { return Vec::new() };
    let seen = Seen { gate_logits: gate_logits.as_deref(), routing: &of_layer.routing, router: &of_layer.rule };
    auxiliary::all().map(|loss| (loss, (loss.measure)(&seen))).collect()
}

/// What a loss would be in a layer that uses its experts evenly; `None` where it knows no balance.
pub fn at_balance(scene: &Scene, loss: &AuxiliaryLoss) -> Option<f64> {
    let num_experts = scene.num_experts();
    let k = scene.layers.first().and_then(|layer| rules::facts(&layer.rule).top_k(num_experts as u32));
    (loss.at_balance)(k.map(|k| k as usize), num_experts)
}
