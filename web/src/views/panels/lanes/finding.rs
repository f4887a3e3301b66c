//! Finding of the capacity lanes of one group: the expert with the longest queue, or the busiest one.

use moe_trace::ExpertIdx;

use crate::run::scene::{Group, SceneLayer};

pub fn finding(layer: &SceneLayer, group: &Group, capacity: Option<u32>) -> String {
    let lanes = (0..layer.num_experts).map(|expert| layer.lane(group, ExpertIdx(expert as u32)));
    // Every expert has every token of the group.
    let is_even = lanes.clone().all(|lane| lane.demand() == group.num_tokens);
    let busiest = lanes.max_by_key(|lane| (lane.lost.len(), lane.demand(), std::cmp::Reverse(lane.expert)));
    let Some(lane) = busiest else { return say!("This layer has no experts").into_owned() };
    if layer.experts_take() {
        return many!(
            lane.demand(),
            "Every expert picks {n} token, those it scores highest",
            "Every expert picks {n} tokens, those it scores highest"
        );
    }
    let (expert, tokens) = (lane.expert, many!(lane.demand(), "{n} token", "{n} tokens"));
    let requests = many!(lane.demand(), "{n} request", "{n} requests");
    let slots = |slots: u32| many!(slots, "{n} slot", "{n} slots");
    match capacity {
        Some(capacity) if !lane.lost.is_empty() => {
            say!("Expert {expert} had {requests} for {slots}", expert, requests, slots = slots(capacity))
        }
        Some(_) if group.num_tokens == 1 => say!("One token at a time, and a slot for it at every expert").into_owned(),
        Some(capacity) if capacity as usize == group.num_tokens => {
            say!("No expert can overflow: each has slots for all {number} tokens", number = group.num_tokens)
        }
        Some(capacity) if lane.demand() == capacity as usize => {
            say!("Expert {expert} is exactly full: {requests} for {slots}", expert, requests, slots = slots(capacity))
        }
        Some(capacity) => say!(
            "Room for all: even the busiest, expert {expert}, had {requests} for {slots}",
            expert,
            requests,
            slots = slots(capacity),
        ),
        None if layer.num_experts == 1 => say!("The only expert serves every request: {tokens}", tokens),
        None if is_even => {
            say!("No request is turned away; every expert serves {tokens}", tokens)
        }
        None => {
            say!("No request is turned away; expert {expert} serves the most: {tokens}", expert, tokens)
        }
    }
}
