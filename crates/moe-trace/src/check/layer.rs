//! One layer of a step: all its columns are of the same experts, and nobody gets a slot that is not there or is taken.

use crate::choices::Choices;
use crate::header::{ExpertCount, RouteSchema};
use crate::layer_trace::{Decision, LayerTrace};
use crate::limits::{EXPERTS, TOKENS};
use crate::routing::{Fate, Routing};
use crate::scores::Scores;
use crate::wrong::{Place, Wrong};

pub fn layer(at: Place, layer: &LayerTrace, routes: &RouteSchema) -> Result<(), Wrong> {
    experts(at, layer, routes)?;
    if let Some(probs) = &layer.gate_probs {
        for (number, &prob) in probs.values().iter().enumerate() {
            at.number(format_args!("gate_probs.values[{number}]"), prob.unwrap_or_default(), 0.0, 1.001)?;
        }
    }
    if let Some(norms) = &layer.output_norms {
        let shared = norms.shared.iter().flatten().copied();
        for norm in norms.experts.iter().copied().flatten().chain(shared) {
            at.number(format_args!("a length in output_norms"), norm, 0.0, f32::MAX)?;
        }
    }
    match &layer.decision {
        Some(Decision::Routing(routing)) => decisions(at, routing, layer.rows.as_deref()),
        Some(Decision::Choices(choices)) => top_k(at, choices, routes.top_k),
        Some(Decision::Load(_)) | None => Ok(()),
    }
}

/// Every column has as many experts as the header says or, where it does not know, as the others.
fn experts(at: Place, layer: &LayerTrace, routes: &RouteSchema) -> Result<(), Wrong> {
    let of_decision = match &layer.decision {
        Some(Decision::Routing(routing)) => Some(routing.num_experts as usize),
        Some(Decision::Choices(choices)) => Some(choices.num_experts()),
        Some(Decision::Load(load)) => Some(load.requests().len()),
        None => None,
    };
    let columns = [
        ("gate_logits.num_experts", layer.gate_logits.as_ref().map(|logits| logits.num_experts())),
        ("gate_probs.num_experts", layer.gate_probs.as_ref().map(Scores::num_experts)),
        ("selection_scores.num_experts", layer.selection_scores.as_ref().map(Scores::num_experts)),
        ("the length of selection_bias", layer.selection_bias.as_ref().map(Vec::len)),
        ("the number of experts of its decision", of_decision),
    ];
    let mut first: Option<(&str, u64)> = None;
    for (field, found) in columns.into_iter().filter_map(|(field, found)| Some((field, found? as u64))) {
        at.at_most(format_args!("{field}"), found, "the format", EXPERTS)?;
        match routes.num_experts {
            ExpertCount::Exactly(count) => {
                at.equal(format_args!("{field}"), found, "routes.num_experts", count.into())?
            }
            ExpertCount::AtLeast(count) => {
                at.at_most(format_args!("{field}"), found, "routes.num_experts", count.into())?
            }
            ExpertCount::Unknown => {}
        }
        let (other, expected) = *first.get_or_insert((field, found));
        at.equal(format_args!("{field}"), found, other, expected)?;
    }
    Ok(())
}

fn top_k(at: Place, choices: &Choices, most: Option<u32>) -> Result<(), Wrong> {
    let found = choices.top_k() as u64;
    at.at_most(format_args!("choices.top_k"), found, "routes.top_k", most.map_or(EXPERTS, u64::from))
}

/// Slots and fates of a whole routing. That its tokens and experts are there is checked where it is deserialised.
fn decisions(at: Place, routing: &Routing, rows: Option<&[u32]>) -> Result<(), Wrong> {
    if let Some(capacity) = routing.capacity {
        at.at_most(format_args!("routing.capacity"), capacity.into(), "the format", TOKENS)?;
    }
    // A rule may try one expert after the other, so a token's ranks may go beyond `top_k`.
    let num_experts = routing.num_experts;
    let mut requests = Vec::with_capacity(routing.assignments.len());
    let mut slots = Vec::with_capacity(routing.assignments.len());
    for (number, request) in routing.assignments.iter().enumerate() {
        let field = |name: &'static str| format!("routing.assignments[{number}].{name}");
        if rows.is_some_and(|rows| rows.binary_search(&request.token).is_err()) {
            let why = format_args!(", which has no row");
            return Err(at.wrong(format_args!("{}", field("token")), request.token, why));
        }
        if request.rank >= num_experts {
            at.index(
                format_args!("{}", field("rank")),
                request.rank.into(),
                "routing.num_experts",
                num_experts.into(),
            )?;
        }
        if request.fate.is_demand() {
            requests.push((request.token, request.expert.0));
        }
        match (request.fate, routing.capacity) {
            (Fate::Kept { slot }, capacity) => {
                // Without a limit there are as many slots as requests.
                let most = capacity.unwrap_or(routing.num_tokens.max(1));
                if slot >= most {
                    at.index(format_args!("{}", field("slot")), slot.into(), "routing.capacity", most.into())?;
                }
                slots.push((request.expert.0, slot));
            }
            (Fate::Lost, None) => {
                let why = format_args!(", and routing.capacity is null: nobody is turned away");
                return Err(at.wrong(format_args!("{}", field("fate")), "lost", why));
            }
            _ => {}
        }
    }
    if let Some((token, expert)) = twice(requests) {
        let why = format_args!(", which it asks already");
        return Err(at.wrong(format_args!("an expert of token {token}"), expert, why));
    }
    if let Some((expert, slot)) = twice(slots) {
        return Err(at.wrong(
            format_args!("a slot of expert {expert}"),
            slot,
            format_args!(", which is taken already"),
        ));
    }
    Ok(())
}

/// A pair that the list has more than once.
fn twice(mut pairs: Vec<(u32, u32)>) -> Option<(u32, u32)> {
    pairs.sort_unstable();
    pairs.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}
