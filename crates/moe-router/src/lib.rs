//! Pure Mixture-of-Experts routing: gate logits in, decisions out.
//!
//! A router is a function: it sees a [`RouterInput`] and returns a [`Routing`](moe_trace::Routing). There are no
//! tensors, devices, files, clocks or hidden random sources here; whoever wants chance passes draws in as data.
//!
//! ```
//! use moe_router::{Router, RouterInput};
//! use moe_trace::{GateLogits, RoutingSpec};
//!
//! // Two tokens, three experts. The default spec is top-2 with a capacity of ceil(1.25 * 2 * 2 / 3) = 2 slots.
//! let gate_logits = GateLogits::new(3, vec![2.0, 1.0, 0.0, 0.0, 1.0, 3.0])?;
//! let router = Router::new(RoutingSpec::default(), 3)?; // checked once …
//! let routing = router.route(&RouterInput::new(&gate_logits)); // … and cannot fail from here on
//! assert_eq!(router.capacity(gate_logits.num_tokens()), Some(2));
//! assert_eq!(routing.assignments[2].expert.index(), 2); // token 1 asks expert 2 first
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Reading order: from the gate ([`gate`]) to who asks whom (one file per rule: tokens choose for themselves in
//! [`token_choice`], are assigned together in [`group_choice`], are blended in [`mixing`]), to who is let in ([`capacity`],
//! [`dispatch`], [`overflow`]), to one entry for all of it ([`router`], [`survey`]), to what it amounts to ([`losses`],
//! [`metrics`], [`measure`]).

#![deny(missing_docs)]

pub mod gate;
pub mod matrix;
pub mod request;

pub mod group_choice;
pub mod mixing;
pub mod token_choice;

pub mod capacity;
pub mod dispatch;
pub mod overflow;

mod check;
pub mod input;
pub mod mixer;
mod padding;
pub mod router;
pub mod spec_error;

pub mod rules;

pub mod losses;
pub mod measure;
pub mod metrics;

pub mod draws;

#[cfg(test)]
mod test_support;

pub use gate::gate_probs;
pub use input::{InputError, RouterInput};
pub use mixer::Mixer;
pub use request::Request;
pub use router::Router;
pub use spec_error::SpecError;
