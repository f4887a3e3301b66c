//! Pure Mixture-of-Experts routing: gate logits in, decisions out.
//!
//! A router is a function: it sees a [`RouterInput`] and returns a [`Routing`](moe_trace::Routing). There are no
//! tensors, devices, files, clocks or hidden random sources here; whoever wants chance passes draws in as data.
//!
//! # A guided tour, with numbers
//!
//! A Mixture-of-Experts layer has `E` small networks, the *experts*, and a *gate* that says for every token how well each
//! would suit it. These scores are the *gate logits*, one row per token. Softmax turns a row into probabilities:
//!
//! ```
//! use moe_router::gate::softmax;
//!
//! let probs = softmax(&[1.85_f32, 0.65, -1.05, -0.60]); // one token, four experts
//! assert!(probs.iter().zip([0.693, 0.209, 0.038, 0.060]).all(|(p, about)| (p - about).abs() < 1e-3));
//! ```
//!
//! **Choosing.** Running all experts would cost `E` times as much as one. So a token asks only the best `k`, and their
//! outputs are added up, each times its weight. Top-2 with normalised weights divides both probabilities by their sum:
//! 0.693 / (0.693 + 0.209) = 0.768.
//!
//! ```
//! use moe_router::{Router, RouterInput};
//! use moe_trace::{GateLogits, Overflow, RoutingSpec};
//!
//! let gate_logits = GateLogits::new(4, vec![1.85, 0.65, -1.05, -0.60])?;
//! let spec = RoutingSpec { router: "top_k:2".parse()?, overflow: Overflow::Dropless };
//! let router = Router::new(spec, 4)?; // checked once …
//! let routing = router.route(&RouterInput::new(&gate_logits)); // … and cannot fail from here on
//! let [first, second] = routing.of_token(0) else { panic!("two requests") };
//! assert_eq!((first.expert.index(), second.expert.index()), (0, 1));
//! assert!((first.weight - 0.768).abs() < 1e-3 && (second.weight - 0.232).abs() < 1e-3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Overflow.** On parallel hardware every expert gets a buffer of fixed size: `C = ceil(factor · k · T / E)` slots for a
//! group of `T` tokens. If more tokens ask, the last ones are turned away, and only the residual connection carries them
//! on. Four tokens, two experts, one choice each: ceil(1 · 1 · 4 / 2) = 2 slots, but three tokens want expert 0.
//!
//! ```
//! # use moe_router::{Router, RouterInput, metrics};
//! # use moe_trace::{CapacitySpec, GateLogits, Overflow, RoutingSpec};
//! let gate_logits = GateLogits::new(2, vec![1.0, 0.0, 2.0, 0.0, 0.0, 1.0, 3.0, 0.0])?;
//! let overflow = Overflow::Drop(CapacitySpec { factor: 1.0, ..CapacitySpec::default() });
//! let router = Router::new(RoutingSpec { router: "switch".parse()?, overflow }, 2)?;
//! let routing = router.route(&RouterInput::new(&gate_logits));
//! assert_eq!(routing.capacity, Some(2));
//! assert_eq!(metrics::demand(&routing), [3, 1]);
//! assert!(routing.is_dropped(3)); // the most confident token of all, but it came last
//! assert_eq!(metrics::fraction_dropped(&routing), 0.25);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Balance.** A gate left alone sends everything to a few experts. A balance loss multiplies the share of tokens an
//! expert gets with the mean probability it is given: here the shares are (0.75, 0.25), the mean probabilities (0.708,
//! 0.292), and 2 · (0.75 · 0.708 + 0.25 · 0.292) = 1.21, where perfect balance would give 1.
//!
//! ```
//! # use moe_router::{Router, RouterInput, gate_probs, losses};
//! # use moe_trace::{GateLogits, Overflow, RoutingSpec};
//! # let gate_logits = GateLogits::new(2, vec![1.0, 0.0, 2.0, 0.0, 0.0, 1.0, 3.0, 0.0])?;
//! # let spec = RoutingSpec { router: "switch".parse()?, overflow: Overflow::Dropless };
//! # let routing = Router::new(spec, 2)?.route(&RouterInput::new(&gate_logits));
//! let loss = losses::switch(&gate_probs(&gate_logits), &routing);
//! assert!((loss - 1.21).abs() < 0.005);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **The future.** A language model must not look at later tokens. Rules in which experts choose their tokens do: the same
//! first token gets another answer when the last one changes.
//!
//! ```
//! # use moe_router::{Router, RouterInput};
//! # use moe_trace::{GateLogits, RoutingSpec};
//! let router = Router::new(RoutingSpec { router: "expert_choice:1".parse()?, ..RoutingSpec::default() }, 2)?;
//! let expert_of_first = |last: [f32; 2]| {
//!     let gate_logits = GateLogits::new(2, [[1.0, 0.0], last].concat()).expect("two rows of two");
//!     router.route(&RouterInput::new(&gate_logits)).of_token(0)[0].expert.index()
//! };
//! assert_eq!(expert_of_first([0.0, 1.0]), 0); // expert 0 takes the first token, expert 1 the last
//! assert_eq!(expert_of_first([9.0, 0.0]), 1); // expert 0 prefers the last; the first is left to expert 1
//! assert!(router.spec().uses_the_future(2) && !moe_router::rules::find("expert_choice").expect("a rule").causal);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Reading order
//!
//! From the gate ([`gate`]) to who asks whom (one file per rule: tokens choose for themselves in [`token_choice`], are
//! assigned together in [`group_choice`], are blended in [`mixing`]), to who is let in ([`capacity`], [`dispatch`],
//! [`overflow`]), to one checked entry for all of it ([`input`], [`router`], [`mixer`]), to what it amounts to ([`losses`],
//! [`metrics`], [`measure`]). [`rules`] is the table of all rules: names, papers, whether they look ahead.

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
mod decimal;
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
