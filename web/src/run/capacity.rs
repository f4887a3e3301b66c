//! The formula behind a capacity, with its numbers, where the routing follows one that can be written out.

use moe_router::Router;
use moe_router::capacity::ByFormula;
use moe_trace::{CapacitySpec, Overflow, Rounding, RoutingSpec};

/// `C = ceil(factor × k × tokens / experts)`, and what holds it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Formula {
    pub slots: CapacitySpec,
    pub k: usize,
    pub result: ByFormula,
}

/// Of a group of so many tokens; `None` where other roundings have other formulas, and where rules fill the experts
/// themselves and have none. `recorded`: the slots of the run, which the formula must give.
pub fn formula(routing: RoutingSpec, num_experts: usize, num_tokens: usize, recorded: u32) -> Option<Formula> {
    let Overflow::Drop(slots) = routing.overflow else { return None };
    let router = Router::new(routing, num_experts).ok()?;
    let result = router.capacity_formula(num_tokens)?;
    let formula = Formula { slots, k: router.k(), result };
    (slots.rounding == Rounding::Ceil && result.slots == recorded).then_some(formula)
}
