//! What rows of several families are made of: what they read of a run, or what it lacks; how a value is told with its terms.

use moe_trace::{GateLogits, RouterSpec, Routing};

use super::{Measured, Missing, Seen, Terms};
use crate::rule::GateReads;
use crate::rules;

/// The gate logits of a rule that reads them.
pub fn logits<'a>(seen: &Seen<'a>) -> Result<&'a GateLogits, Missing> {
    if rules::facts(seen.router).reads == GateReads::Nothing {
        return Err(Missing::Gate);
    }
    seen.gate_logits.filter(|logits| logits.num_tokens() > 0).ok_or(Missing::GateLogits)
}

/// The routing of a text in which somebody asked for something.
pub fn asked<'a>(seen: &Seen<'a>) -> Result<&'a Routing, Missing> {
    if seen.routing.assignments.is_empty() { Err(Missing::Requests) } else { Ok(seen.routing) }
}

/// Experts that every token asks.
pub fn k(seen: &Seen) -> Result<u32, Missing> {
    rules::facts(seen.router).top_k(seen.routing.num_experts).ok_or(Missing::K)
}

/// `k` and the deviation of the noise.
pub fn noise(seen: &Seen) -> Result<(usize, f32), Missing> {
    match *seen.router {
        RouterSpec::Noisy { k, std } => Ok((k as usize, std)),
        _ => Err(Missing::Noise),
    }
}

/// A value that is the sum of what each expert adds.
pub fn adding_up(value: f64, what: &'static str, values: Vec<f64>) -> Measured {
    Measured { value, terms: Some(Terms { what, values, add_up: true }) }
}

/// A value that says how much these differ.
pub fn spread(value: f64, what: &'static str, values: Vec<f64>) -> Measured {
    Measured { value, terms: Some(Terms { what, values, add_up: false }) }
}
