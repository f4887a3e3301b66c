//! What another number of slots would change: nothing before the first token that it serves or turns away.
//!
//! Where slots are given out by position, a token's fate depends on the tokens before it and on the capacity alone. So
//! when the capacity changes (a text grows, a factor is moved) every token keeps its fate up to the first one whose
//! request was turned away and now finds a slot, or had a slot that there is no more. That token's does change, and
//! whatever comes after it may.
//!
//! Top-2 of the [running example](crate::example). With three slots per expert token 4 is turned away, twice. A fourth
//! slot changes nothing before it; with two slots token 2 is the first to lose its place.
//!
//! ```
//! use moe_router::{Router, RouterInput, example, overflow::other_capacity::first_change};
//! use moe_trace::{Policy, RoutingSpec};
//!
//! let gate_logits = example::gate_logits();
//! let router = Router::new(RoutingSpec::with_policy(2, Policy::Drop, 1.0), 4)?;
//! let routing = router.route(&RouterInput::new(&gate_logits));
//! assert_eq!(routing.capacity, Some(3));
//! assert_eq!(first_change(&routing.assignments, Some(3), Some(4)), Some(4));
//! assert_eq!(first_change(&routing.assignments, Some(3), Some(2)), Some(2));
//! assert_eq!(first_change(&routing.assignments, Some(3), Some(3)), None);
//! # Ok::<(), moe_router::SpecError>(())
//! ```

use moe_trace::{Assignment, Fate};

/// The first token to which `now` slots per expert mean another fate than the `before` it was decided with; `None` where
/// all keep theirs. Only for decisions by position, that is where [`looks_ahead`](crate::rules::looks_ahead) says no.
///
/// `assignments`: ordered by token, then rank. No capacity: nobody is turned away.
pub fn first_change(assignments: &[Assignment], before: Option<u32>, now: Option<u32>) -> Option<u32> {
    let (before, now) = (before.unwrap_or(u32::MAX), now.unwrap_or(u32::MAX));
    let changes = |assignment: &&Assignment| match assignment.fate {
        Fate::Kept { slot } => slot >= now,
        Fate::Lost => now > before,
        _ => false,
    };
    assignments.iter().find(changes).map(|assignment| assignment.token)
}
