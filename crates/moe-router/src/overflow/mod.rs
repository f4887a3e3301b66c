//! What to do with too many requests, besides first come, first served.
//!
//! [`crate::dispatch`] offers slots in one order for all experts. Here experts pick for themselves ([`selection`]),
//! tokens try again ([`no_token_left_behind`]), lost requests and free slots are brought together afterwards
//! ([`rectify`]), slots stay taken from step to step ([`stateful`]), or nobody is turned away and the work is cut into
//! blocks ([`blocks`]).

pub mod blocks;
pub mod no_token_left_behind;
pub mod rectify;
pub mod selection;
pub mod stateful;
