//! Rules in which a group of tokens is assigned as a whole: experts choose, or nobody does and a plan is balanced.
//!
//! None of these is causal: what a token gets depends on tokens after it. As a language model's training rule each needs
//! another rule for generation, and the gap between the two is worth showing. One such other rule lives here, beside the
//! rule that it stands in for: [`expert_threshold`].

pub mod auction;
pub mod best_assignment;
pub mod expert_choice;
pub mod expert_threshold;
pub mod sinkhorn;
pub mod strictly_balanced;
