//! Which draws routing gets while a model learns, and while it is measured.

use moe_model::{ModelConfig, RoutingInputs};
use moe_router::rules;
use moe_trace::training::TrainedRule;

/// Draws of a step, `[layers]`; empty ones where the rule leaves nothing to chance.
pub fn in_training(
    rule: impl Into<TrainedRule>,
    seed: u64,
    num_tokens: usize,
    config: &ModelConfig,
) -> Vec<RoutingInputs> {
    // No rule that mixes draws anything.
    match matches!(rule.into(), TrainedRule::Assigns(spec) if rules::uses_chance(&spec)) {
        true => RoutingInputs::draw(seed as u32, config.num_layers, num_tokens, config.num_experts),
        false => vec![RoutingInputs::default(); config.num_layers],
    }
}

/// Draws for held-out text: noise is left out, as in all papers; only random routing is nothing without chance.
pub fn at_inference(rule: impl Into<TrainedRule>, num_tokens: usize, config: &ModelConfig) -> Vec<RoutingInputs> {
    let rule = rule.into();
    match matches!(rule, TrainedRule::Assigns(spec) if rules::facts(&spec.router).chance.draws_when_scored()) {
        true => in_training(rule, 0, num_tokens, config),
        false => vec![RoutingInputs::default(); config.num_layers],
    }
}
