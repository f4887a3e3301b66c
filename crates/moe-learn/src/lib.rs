//! Learning: what is minimised, over which batches, and what a step does to the weights.
//!
//! Everything comes in as data and is awaited, so a trainer with files and one in a browser's worker run the same steps:
//! a [`Corpus`] gives a [`Batch`], a [`Learner`] takes one [`Learner::step`] by its [`Recipe`], [`held_out`] says how good
//! it has become,
//! [`saved`] keeps all that it needs to go on. Of a frozen model, [`adapting`] trains adapters only.

mod adam;
pub mod adapting;
pub mod auxiliary;
pub mod batch;
pub mod chance;
pub mod clip;
pub mod corpus;
pub mod distil;
pub mod held_out;
pub mod learner;
pub mod loss;
pub mod recipe;
pub mod reshape;
pub mod saved;

pub use batch::Batch;
pub use corpus::{Corpus, Domain};
pub use learner::{Learner, LossValues, Step};
pub use recipe::Recipe;
