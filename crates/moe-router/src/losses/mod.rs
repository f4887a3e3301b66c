//! Auxiliary losses, unscaled: the caller multiplies by a coefficient and averages over groups and layers.
//!
//! These are numbers to show and to check a training graph against. Counts and choices carry no gradient; probabilities
//! do, on the graph. All are of one layer and one group of tokens.

mod balance;
mod spread;
mod z;

pub use balance::{gshard_paper, hf_topk, per_choice, switch};
pub use spread::{importance_of_probs, importance_of_weights, squared_variation};
pub use z::z_loss;
