//! What a routing amounts to: counts per expert, fractions of requests and tokens, entropies of the gate.
//!
//! Everything is computed from the records, never stored beside them. Padding and withdrawn requests are in no count.

mod counts;
mod entropy;
mod fractions;

pub use counts::{
    demand, demand_cv, effective_experts, importance, load, max_over_mean, max_violation, overflow, squared_variation,
};
pub use entropy::{entropy, entropy_mean, entropy_normalised};
pub use fractions::{
    drop_rank_correlation, drop_rate_by_position, drop_towards_the_end, expert_usage, fraction_dropped,
    fraction_tokens_unserved, router_confidence, tokens_without_requests,
};
