//! Measurements over many groups or several checkpoints: what experts specialise in, and when routing was learned.
//!
//! Choices are given as `experts: &[u32]`, `[tokens, k]`, first choice first; [`choices`] reads them off a routing.
//! Plot them beside the value that chance would give, which each file says.

mod collapse;
mod information;
mod leak;
mod locality;
pub mod pruning;
mod saturation;
mod specialization;

pub use collapse::{ClassWeights, Collapse, representation_collapse};
pub use information::{Information, mutual_information};
pub use leak::leak;
pub use locality::{Repeats, consecutive_repeats};
pub use saturation::{first_choice_agreement, load_correlation, router_saturation};
pub use specialization::{co_activation, divergence, routing_deviation, routing_deviation_bound, share_by_key};

use moe_trace::{Fate, Routing};

/// The experts each token asked, `[tokens, k]`, whatever became of the request. For rules in which all tokens ask `k`;
/// padding is left out.
pub fn choices(routing: &Routing) -> Vec<u32> {
    let real = routing.assignments.iter().filter(|assignment| assignment.fate != Fate::Padding);
    real.map(|assignment| assignment.expert.0).collect()
}
