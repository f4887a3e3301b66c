//! Lets requests in as a spec says: by [`dispatch`] in one order for all experts, or each full expert selects by
//! itself ([`selection`](super::selection)).
//!
//! Switch on the [running example](crate::example): the same requests under two policies. By position expert 0 serves
//! tokens 0 and 1; by probability it keeps 0 and 4, which are the most confident.
//!
//! ```
//! use moe_router::{example, overflow::admit::admit, token_choice::switch};
//! use moe_trace::{CapacitySpec, Overflow, Priority};
//!
//! let gate_logits = example::gate_logits();
//! let lost = |priority| -> Vec<u32> {
//!     let overflow = Overflow::Drop(CapacitySpec { priority, ..CapacitySpec::default() });
//!     let routing = admit(&switch::requests(&gate_logits), &gate_logits, &[], overflow, Some(2));
//!     (0..6).filter(|&token| routing.is_dropped(token)).collect()
//! };
//! assert_eq!(lost(Priority::Position), [2, 4]);
//! assert_eq!(lost(Priority::Probability), [1, 2]);
//! ```

use moe_trace::{CapacitySpec, GateLogits, Overflow, Priority, Routing, SlotOrder};

use crate::dispatch::{dispatch, token_order};
use crate::overflow::selection::{keep_largest, random_keys, weight_keys};
use crate::request::Request;

/// Lets `requests` in as `overflow` says, with `capacity` slots per expert. Without a capacity nobody is turned away, and
/// order decides only who stands where in the queue: then by position.
///
/// `lots`: `[tokens, experts]`, for priorities by chance; missing lots count as 0.
pub fn admit(
    requests: &[Request],
    gate_logits: &GateLogits,
    lots: &[f32],
    overflow: Overflow,
    capacity: Option<u32>,
) -> Routing {
    let num_experts = gate_logits.num_experts();
    let in_order = |priority, slot_order| {
        let token_order = token_order(priority, requests, gate_logits, lots);
        dispatch(requests, num_experts, &token_order, slot_order, capacity)
    };
    let assignments = match (overflow, capacity) {
        (Overflow::Drop(CapacitySpec { priority: Priority::RandomPerExpert, .. }), Some(capacity)) => {
            keep_largest(requests, &random_keys(requests, lots, num_experts), num_experts, capacity)
        }
        (Overflow::Drop(CapacitySpec { priority: Priority::Probability, .. }), Some(capacity)) => {
            keep_largest(requests, &weight_keys(requests), num_experts, capacity)
        }
        (Overflow::Drop(slots), Some(_)) => in_order(slots.priority, slots.order),
        _ => in_order(Priority::Position, SlotOrder::TokenMajor),
    };
    let (num_tokens, num_experts) = (gate_logits.num_tokens() as u32, num_experts as u32);
    Routing { num_tokens, num_experts, capacity, assignments }
}
