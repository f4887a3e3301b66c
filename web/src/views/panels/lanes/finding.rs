//! Finding of the capacity lanes of one group: the expert with the longest queue, or the busiest one.

use moe_trace::ExpertIdx;

use crate::run::scene::{Group, SceneLayer};
use crate::words::numbers::count;

pub fn finding(layer: &SceneLayer, group: &Group, capacity: Option<u32>) -> String {
    let lanes = (0..layer.num_experts).map(|expert| layer.lane(group, ExpertIdx(expert as u32)));
    // Every expert has every token of the group.
    let is_even = lanes.clone().all(|lane| lane.demand() == group.num_tokens);
    let busiest = lanes.max_by_key(|lane| (lane.lost.len(), lane.demand(), std::cmp::Reverse(lane.expert)));
    let Some(lane) = busiest else { return "This layer has no experts".to_owned() };
    if layer.experts_take() {
        return format!("Every expert picks {}, those it scores highest", count(lane.demand(), "token", "tokens"));
    }
    let (expert, tokens) = (lane.expert, count(lane.demand(), "token", "tokens"));
    let requests = count(lane.demand(), "request", "requests");
    match capacity {
        Some(slots) if !lane.lost.is_empty() => {
            let slots = count(slots as usize, "slot", "slots");
            format!("Expert {expert} had {requests} for {slots}")
        }
        Some(_) if group.num_tokens == 1 => "One token at a time, and a slot for it at every expert".to_owned(),
        Some(slots) if slots as usize == group.num_tokens => {
            format!("No expert can overflow: each has slots for all {} tokens", group.num_tokens)
        }
        Some(slots) if lane.demand() == slots as usize => {
            format!("Expert {expert} is exactly full: {requests} for {}", count(slots as usize, "slot", "slots"))
        }
        Some(slots) => {
            let slots = count(slots as usize, "slot", "slots");
            format!("Room for all: even the busiest, expert {expert}, had {requests} for {slots}")
        }
        None if layer.num_experts == 1 => format!("The only expert serves every request: {tokens}"),
        None if is_even => {
            format!("No request is turned away; every expert serves {tokens}")
        }
        None => format!("No request is turned away; expert {expert} serves the most: {tokens}"),
    }
}
