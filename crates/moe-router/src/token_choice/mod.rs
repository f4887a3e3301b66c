//! Rules in which every token chooses its experts, looking at nothing but itself.
//!
//! Such a rule is causal: only slots (see [`crate::dispatch`]) make tokens meet. Each file is one rule; those that a
//! [`RouterSpec`](moe_trace::RouterSpec) names are reached through [`Router`](crate::Router).

pub mod dense;
pub mod gshard;
pub mod switch;
pub mod top_k;
