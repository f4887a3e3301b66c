//! Measurements over many groups or several checkpoints: what experts specialise in, and when routing was learned.
//!
//! Choices are given as `experts: &[u32]`, `[tokens, k]`, first choice first; [`choices`] reads them off a routing.
//! Plot them beside the value that chance would give, which each file says.

mod collapse;
mod correlation;
mod effective_rank;
mod enrichment;
mod information;
mod leak;
mod locality;
pub mod pruning;
mod saturation;
mod specialization;
mod symmetric;

pub use collapse::{ClassWeights, Collapse, representation_collapse};
pub use correlation::spearman;
pub use effective_rank::effective_rank;
pub use enrichment::{KeyCounts, LnFactorials, benjamini_hochberg};
pub use information::{Information, conditional_information, context_information, mutual_information};
pub use leak::leak;
pub use locality::{Repeats, consecutive_repeats};
pub use saturation::{
    first_choice_agreement, inter_run_consistency, load_correlation, router_saturation, routing_fluctuation,
};
pub use specialization::{
    co_activation, divergence, domain_specialization, routing_deviation, routing_deviation_bound, share_by_key,
    vocabulary_specialization,
};

use moe_trace::{Fate, Routing};

/// The experts each token asked, `[tokens, k]`, whatever became of the request. For rules in which all tokens ask `k`;
/// padding is left out.
pub fn choices(routing: &Routing) -> Vec<u32> {
    let real = routing.assignments.iter().filter(|assignment| assignment.fate != Fate::Padding);
    real.map(|assignment| assignment.expert.0).collect()
}
