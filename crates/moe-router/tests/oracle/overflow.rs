//! Capacity and slots: the table of roundings, and the queues of dropless routing.

use moe_router::capacity::capacity;
use moe_trace::{CapacitySpec, Overflow, Rounding, RouterSpec, Weighting};

use crate::fixture::Node;
use crate::token_choice::{gate_logits, route};

pub fn check(case: &Node) {
    let gate_logits = gate_logits(case);
    let k = case.at("input").at("k").number() as u32;

    // Experts in order, each with its queue: the flat index (token · k + rank) of every request in the order served.
    let router = RouterSpec::TopK { k, weighting: Weighting::Raw };
    let routing = route(router, Overflow::Dropless, &gate_logits);
    let mut served: Vec<(u32, Option<u32>, u32)> =
        routing.assignments.iter().map(|a| (a.expert.0, a.fate.slot(), a.token * k + a.rank)).collect();
    served.sort_unstable();
    case.at("results").at("dropless").at("sorted_slots").same(served.into_iter().map(|(_, _, flat)| flat));
}

pub fn check_capacity_table(table: &Node) {
    for row in table.each() {
        let number = |key| row.at(key).number();
        for (name, rounding) in [
            ("ceil", Rounding::Ceil),
            ("deepspeed", Rounding::Ceil),
            ("floor", Rounding::Floor),
            ("round", Rounding::Round),
            ("mesh", Rounding::Mesh),
            ("tutel", Rounding::Tutel),
            ("fairseq", Rounding::Fairseq),
        ] {
            let spec = CapacitySpec { factor: number("cf") as f32, rounding, minimum: 0, ..CapacitySpec::default() };
            let slots = capacity(&spec, number("T") as usize, number("K") as usize, number("E") as usize);
            row.at(name).same([slots]);
        }
    }
}
