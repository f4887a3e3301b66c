//! Which draws routing gets while a model learns, and while it is measured.

use moe_model::{ModelConfig, RoutingInputs};
use moe_router::rules;
use moe_trace::RoutingSpec;

/// Draws of a step, `[layers]`; empty ones where the rule leaves nothing to chance.
pub fn in_training(spec: RoutingSpec, seed: u64, num_tokens: usize, config: &ModelConfig) -> Vec<RoutingInputs> {
    match rules::uses_chance(&spec) {
        true => RoutingInputs::draw(seed as u32, config.num_layers, num_tokens, config.num_experts),
        false => vec![RoutingInputs::default(); config.num_layers],
    }
}

/// Draws for held-out text: noise is left out, as in all papers; only random routing is nothing without chance.
pub fn at_inference(spec: RoutingSpec, num_tokens: usize, config: &ModelConfig) -> Vec<RoutingInputs> {
    match rules::facts(&spec.router).chance.draws_when_scored() {
        true => in_training(spec, 0, num_tokens, config),
        false => vec![RoutingInputs::default(); config.num_layers],
    }
}
