//! Spoils files, for the tests of all that reads them: whatever arrives, a reader answers with a value or an error, soon,
//! and within bounds of memory.
//!
//! A test draws its inputs from a [`trial`]: few in a plain test, a million by `cargo xtask fuzz`.

mod dice;
pub mod json;
pub mod memory;
pub mod tensors;
mod trial;

pub use dice::Dice;
pub use trial::{trial, trial_of_much_work};
