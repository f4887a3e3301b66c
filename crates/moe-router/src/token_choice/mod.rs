//! Rules in which every token chooses its experts, looking at nothing but itself.
//!
//! Such a rule is causal: only slots (see [`crate::dispatch`]) make tokens meet. (Two exceptions live here for their
//! likeness: [`per_sequence`], where all tokens of a sequence choose together, and [`no_token_left_behind`], where who is
//! turned away chooses again.) Each file is one rule; those that a [`RouterSpec`](moe_trace::RouterSpec) names are reached
//! through [`Router`](crate::Router), the others ([`crate::rules`] says what they need) return logits or their requests for
//! [`dispatch`](crate::dispatch::dispatch) or [`dropless`](crate::dispatch::dropless).

pub mod dense;
pub mod switch;
pub mod top_k;

pub mod dense_to_sparse;
pub mod gshard;
pub mod noisy_top_k;

pub mod deepseek;
pub mod dselect_k;
pub mod null_experts;
pub mod relu;
pub mod top_any;
pub mod top_p;

pub mod hierarchical;
pub mod prototypes;

pub mod attention;
pub mod cosine;
pub mod logit_norm;

pub mod no_token_left_behind;

pub mod hash;
pub mod per_sequence;
pub mod per_task;
pub mod random;
pub mod thor;
