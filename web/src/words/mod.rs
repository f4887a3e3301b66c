//! How numbers, kinds and problems are said. Knows no run and no state.

// First, since its macros are known to what follows.
#[macro_use]
pub mod tongue;

pub mod changes;
pub mod glossary;
#[cfg(feature = "page")]
pub mod lesson;
pub mod names;
pub mod numbers;
pub mod problems;
