//! What follows from a spec: the facts of its rule, and what rule and slots have together.

use moe_trace::{CapacitySpec, Overflow, Priority, RouterSpec, RoutingSpec, SlotOrder};

use super::assigns;
use crate::rule::{Facts, Requests, Slots};

/// What must be known of the rule of a spec, with its numbers.
pub fn facts(spec: &RouterSpec) -> Facts {
    (assigns(spec).facts)(spec)
}

/// Does any decision about a token depend on later tokens of its group, by the rule or by its slots?
///
/// The capacity's own dependence on the length of the text is not counted.
pub fn looks_ahead(routing: &RoutingSpec) -> bool {
    let facts = facts(&routing.router);
    let by_slots = match (routing.overflow, facts.slots) {
        (Overflow::Dropless, _) | (_, Slots::ForEveryone | Slots::Filled { .. }) => false,
        (Overflow::Drop(_), Slots::OwnOrder { looks_ahead }) => looks_ahead,
        (Overflow::Drop(slots), Slots::BySpec) => {
            let several = facts.requests != Requests::Exactly(1);
            slots.priority != Priority::Position || (several && slots.order == SlotOrder::RankMajor)
        }
    };
    by_slots || facts.looks_ahead
}

/// Does chance have a say, in the rule or in who gets a slot, so that training draws anew at every step?
pub fn uses_chance(routing: &RoutingSpec) -> bool {
    let by_lot = matches!(
        routing.overflow,
        Overflow::Drop(CapacitySpec { priority: Priority::Random | Priority::RandomPerExpert, .. })
    );
    by_lot || facts(&routing.router).chance.draws_in_training()
}
