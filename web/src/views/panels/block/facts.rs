//! Sizes of a layer and its model in words; what is not known is left out.

use std::borrow::Cow;

use moe_router::rules;

use crate::run::block::Block;
use crate::run::scene::Scene;
use crate::run::text::plain;
use crate::words::numbers::{digits, parameters, training_tokens};
use crate::words::tongue;

/// Each by its name.
pub fn facts(scene: &Scene) -> Vec<(Cow<'static, str>, String)> {
    let (block, model) = (Block::of(scene), &scene.recording.model);
    let rule = tongue::translated(rules::of(&model.trained_routing.router).title);
    let mut facts = vec![
        (say!("model"), plain(&model.name)),
        (say!("rule"), say!("{rule}, as the model was trained", rule)),
        (
            say!("experts of a layer"),
            say!("{all}, {active} active per token", all = block.num_experts, active = block.num_active),
        ),
    ];
    if let Some(one) = block.expert_parameters {
        let (all, active) = (one * block.num_experts, one * block.num_active);
        facts.push((say!("one expert"), say!("{number} parameters", number = digits(one.into()))));
        facts.push((
            say!("experts of a layer together"),
            say!("{all}, {active} at work", all = parameters(all), active = parameters(active)),
        ));
    }
    facts.push((say!("layers"), many!(block.num_layers, "{n} layer", "{n} layers")));
    if let Some(other) = block.other_parameters {
        let number = parameters(other);
        let what = match block.has_shared {
            true => say!("{number}: shared experts, attention, gates, norms, embedding", number),
            false => say!("{number}: attention, gates, norms, embedding", number),
        };
        facts.push((say!("all outside the experts"), what));
    }
    let (all, active) = (parameters(model.num_parameters), parameters(model.num_active_parameters));
    facts.push((say!("the whole model"), say!("{all} parameters, {active} active per token", all, active)));
    facts.push((say!("vocabulary"), say!("{number} tokens", number = model.vocab_size)));
    facts.push((say!("longest text"), say!("{number} tokens", number = model.max_tokens)));
    if let Some(learned) = model.training_tokens {
        facts.push((say!("learned from"), training_tokens(learned)));
    }
    facts
}
