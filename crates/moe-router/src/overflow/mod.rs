//! What to do with too many requests, besides first come, first served.
//!
//! [`crate::dispatch`] offers slots in one order for all experts. Here experts pick for themselves ([`selection`]), lost
//! requests and free slots are brought together afterwards ([`rectify`]), slots stay taken from step to step
//! ([`stateful`]), or nobody is turned away and the work is cut into blocks ([`blocks`]). Tokens that try again are a rule
//! of their own, [`no_token_left_behind`](crate::token_choice::no_token_left_behind). [`admit`] does what a spec says, and
//! [`other_capacity`] tells from where on another number of slots would matter.

pub mod admit;
pub mod blocks;
pub mod other_capacity;
pub mod rectify;
pub mod selection;
pub mod stateful;
