//! What-if: one layer's recorded gate logits, routed by another rule. Instant, and exact for that layer only: what later
//! layers would have seen is not known without a re-run.

use moe_router::rule::Besides;
use moe_router::{Router, RouterInput, rules};
use moe_trace::{Assignment, CapacitySpec, Overflow, Priority, RoutingGroup, RoutingSpec, Source, TokenId};

use crate::run::recording::Recording;
use crate::run::scene::{Scene, SceneLayer};

/// The layer with the group of `token` routed by `routing`; `None` where that cannot be said: another `group` would have
/// other tokens, some rules look at what no trace holds (the draws of the run, biases that its model learned, or how
/// frequent an id is), and some traces hold no gate logits.
pub fn layer(
    scene: &Scene,
    layer: usize,
    token: usize,
    routing: &RoutingSpec,
    group: RoutingGroup,
) -> Option<SceneLayer> {
    let recording = &scene.recording;
    if group != recording.request.group || draws(routing) || !knows_all(recording, routing) {
        return None;
    }
    let group_idx = scene.tokens.get(token)?.group;
    let group = scene.groups[group_idx];
    let step = &recording.steps[group.step];
    let recorded = step.layers.get(layer)?;
    let gate_logits = recorded.gate_logits.as_ref()?;
    let router = Router::new(*routing, gate_logits.num_experts()).ok()?;
    let ids: Vec<TokenId> = step.tokens.iter().map(|token| token.id).collect::<Option<_>>()?;
    let rerouted = router.route(&RouterInput::new(gate_logits).with_token_ids(&ids));

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
    let logits = logits.filter_map(|layer| layer.gate_logits.as_ref());
    after.gate_values = logits.flat_map(|logits| after.reading().values(logits)).collect();
    after.routing.assignments = assignments;
    after.capacities[group_idx] = rerouted.capacity;
    if recording.request.group == RoutingGroup::ThisText {
        after.routing.capacity = rerouted.capacity;
    }
    Some(after)
}

/// Does a live run draw? Noise that a gate has in training only is left out there.
fn draws(routing: &RoutingSpec) -> bool {
    let by_lot = matches!(
        routing.overflow,
        Overflow::Drop(CapacitySpec { priority: Priority::Random | Priority::RandomPerExpert, .. })
    );
    by_lot || rules::facts(&routing.router).chance.draws_live()
}

/// Is all that the rule looks at in the trace, or nowhere? A bias is learned by models that are trained with one.
fn knows_all(recording: &Recording, routing: &RoutingSpec) -> bool {
    let besides = |routing: &RoutingSpec| rules::facts(&routing.router).besides;
    let has_no_bias =
        recording.source != Source::Imported && besides(&recording.model.trained_routing) != Besides::LearnedBias;
    besides(routing).is_in_a_trace() || (besides(routing) == Besides::LearnedBias && has_no_bias)
}
