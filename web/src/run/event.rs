//! The event of the story: a token that finds its expert full, and the least change of the capacity that lets it in.

use moe_trace::{ExpertIdx, Fate, Overflow, RoutingGroup, RoutingSpec};

use crate::run::scene::{Group, Scene, SceneLayer, TokenFate};
use crate::run::what_if;
use crate::settings::limits::CAPACITY_FACTOR;

/// A token that was turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// The first expert that turned it away, the tokens of the group that asked it, and its slots.
    pub expert: ExpertIdx,
    pub demand: usize,
    pub slots: usize,
    /// The expert that serves it all the same.
    pub served_by: Option<ExpertIdx>,
}

impl Event {
    /// What happened to this token, if it was turned away.
    pub fn of(layer: &SceneLayer, group: &Group, token: usize) -> Option<Event> {
        let requests = layer.of_token(token);
        let expert = requests.iter().find(|request| request.fate == Fate::Lost)?.expert;
        let lane = layer.lane(group, expert);
        let served_by = requests.iter().find(|request| request.fate.is_kept()).map(|request| request.expert);
        Some(Event { expert, demand: lane.demand(), slots: lane.kept.len(), served_by })
    }
}

/// Slots for everybody who was turned away, and the capacity factor that gives them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Room {
    pub factor: f32,
    pub slots: u32,
}

/// The least factor of the slider at which every expert that this token asks has room for it: exact for this layer, whose
/// gate logits are routed again. `None` where no factor helps, or where that cannot be said.
pub fn room_for(scene: &Scene, layer: usize, token: usize, routing: &RoutingSpec, group: RoutingGroup) -> Option<Room> {
    let Overflow::Drop(slots) = routing.overflow else { return None };
    let group_idx = scene.tokens.get(token)?.group;
    // Steps of 0.05, as the slider has them.
    let steps = (f64::from(*CAPACITY_FACTOR.start()) * 20.0) as u32..=(f64::from(*CAPACITY_FACTOR.end()) * 20.0) as u32;
    let factors = steps.map(|step| (f64::from(step) / 20.0) as f32).filter(|&factor| factor > slots.factor);
    for factor in factors {
        let overflow = Overflow::Drop(moe_trace::CapacitySpec { factor, ..slots });
        let after = what_if::layer(scene, layer, token, &RoutingSpec { overflow, ..*routing }, group)?;
        if after.fate(token) == TokenFate::Served {
            return Some(Room { factor, slots: after.capacities.get(group_idx).copied().flatten()? });
        }
    }
    None
}
