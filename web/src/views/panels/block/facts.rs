//! Sizes of a layer and its model in words; what is not known is left out.

use moe_router::rules;

use crate::run::block::Block;
use crate::run::scene::Scene;
use crate::run::text::plain;
use crate::words::numbers::{count, digits, parameters, training_tokens};

/// Each by its name.
pub fn facts(scene: &Scene) -> Vec<(&'static str, String)> {
    let (block, model) = (Block::of(scene), &scene.recording.model);
    let mut facts = vec![
        ("model", plain(&model.name)),
        ("rule", format!("{}, as the model was trained", rules::of(&model.trained_routing.router).title)),
        ("experts of a layer", format!("{}, {} active per token", block.num_experts, block.num_active)),
    ];
    if let Some(one) = block.expert_parameters {
        let (all, active) = (one * block.num_experts, one * block.num_active);
        facts.push(("one expert", format!("{} parameters", digits(one.into()))));
        facts.push(("experts of a layer together", format!("{}, {} at work", parameters(all), parameters(active))));
    }
    facts.push(("layers", count(block.num_layers as usize, "layer", "layers")));
    if let Some(other) = block.other_parameters {
        facts.push(("all outside the experts", format!("{}: attention, gates, norms, embedding", parameters(other))));
    }
    let (all, active) = (parameters(model.num_parameters), parameters(model.num_active_parameters));
    facts.push(("the whole model", format!("{all} parameters, {active} active per token")));
    facts.push(("vocabulary", format!("{} tokens", model.vocab_size)));
    facts.push(("longest text", format!("{} tokens", model.max_tokens)));
    if let Some(learned) = model.training_tokens {
        facts.push(("learned from", training_tokens(learned)));
    }
    facts
}
