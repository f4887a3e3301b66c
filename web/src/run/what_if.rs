//! What-if: one layer's recorded gate logits, routed by another rule. Instant, and exact for that layer only: what later
//! layers would have seen is not known without a re-run.

use moe_router::{Router, RouterInput, rules};
use moe_trace::{Assignment, RoutingGroup, RoutingSpec, TokenId};

use crate::run::scene::{Scene, SceneLayer};

/// The layer with the group of `token` routed by `routing`; `None` where that cannot be said: another `group` would have
/// other tokens, and some rules look at what no trace holds: the draws of the run, learned biases, or how frequent an id
/// is.
pub fn layer(
    scene: &Scene,
    layer: usize,
    token: usize,
    routing: &RoutingSpec,
    group: RoutingGroup,
) -> Option<SceneLayer> {
    let recording = &scene.recording;
    let is_known = rules::facts(&routing.router).besides.is_in_a_trace();
    if group != recording.request.group || rules::uses_chance(routing) || !is_known {
        return None;
    }
    let group_idx = scene.tokens.get(token)?.group;
    let group = scene.groups[group_idx];
    let step = &recording.steps[group.step];
    let recorded = step.layers.get(layer)?;
    let router = Router::new(*routing, recorded.gate_logits.num_experts()).ok()?;
    let ids: Vec<TokenId> = step.tokens.iter().map(|token| token.id).collect();
    let rerouted = router.route(&RouterInput::new(&recorded.gate_logits).with_token_ids(&ids));

    let before = &scene.layers[layer];
    let (first, end) = (group.first as u32, (group.first + group.num_tokens) as u32);
    let mut assignments: Vec<Assignment> =
        before.routing.assignments.iter().copied().filter(|a| !(first..end).contains(&a.token)).collect();
    let at = assignments.partition_point(|assignment| assignment.token < first);
    let moved = rerouted.assignments.iter().map(|a| Assignment { token: a.token + first, ..*a });
    assignments.splice(at..at, moved);

    let mut after = before.clone();
    after.rule = routing.router;
    let logits = scene.groups.iter().filter_map(|group| recording.steps[group.step].layers.get(layer));
    after.gate_values = logits.flat_map(|layer| after.reading().values(&layer.gate_logits)).collect();
    after.routing.assignments = assignments;
    after.capacities[group_idx] = rerouted.capacity;
    if recording.request.group == RoutingGroup::ThisText {
        after.routing.capacity = rerouted.capacity;
    }
    Some(after)
}
