//! How numbers, kinds and problems are said. Knows no run and no state.

pub mod changes;
pub mod glossary;
#[cfg(feature = "page")]
pub mod lesson;
pub mod names;
pub mod numbers;
pub mod problems;
