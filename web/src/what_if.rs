//! What-if: one layer's recorded gate logits, routed by another rule. Instant, and exact for that layer only: what later
//! layers would have seen is not known without a re-run.

use moe_router::{Router, RouterInput};
use moe_trace::{Assignment, Policy, RoutingGroup};

use crate::scene::{Scene, SceneLayer};
use crate::state::settings::Settings;

/// The selected layer with the group of `token` routed as the settings ask for; `None` where that cannot be said:
/// another group would have other tokens, and a rule that uses chance needs the draws of the run.
pub fn layer(scene: &Scene, layer: usize, token: usize, settings: &Settings) -> Option<SceneLayer> {
    let recording = &scene.recording;
    if settings.group != recording.request.group || settings.policy == Policy::RandomSecond {
        return None;
    }
    let group_idx = scene.tokens.get(token)?.group;
    let group = scene.groups[group_idx];
    let recorded = recording.steps[group.step].layers.get(layer)?;
    let routing = settings.routing(Some(&recording.model.trained_routing));
    let router = Router::new(routing, recorded.gate_logits.num_experts()).ok()?;
    let rerouted = router.route(&RouterInput::new(&recorded.gate_logits));

    let before = &scene.layers[layer];
    let (first, end) = (group.first as u32, (group.first + group.num_tokens) as u32);
    let mut assignments: Vec<Assignment> =
        before.routing.assignments.iter().copied().filter(|a| !(first..end).contains(&a.token)).collect();
    let at = assignments.partition_point(|assignment| assignment.token < first);
    let moved = rerouted.assignments.iter().map(|a| Assignment { token: a.token + first, ..*a });
    assignments.splice(at..at, moved);

    let mut after = before.clone();
    after.routing.assignments = assignments;
    after.capacities[group_idx] = rerouted.capacity;
    if recording.request.group == RoutingGroup::ThisText {
        after.routing.capacity = rerouted.capacity;
    }
    Some(after)
}
