//! How numbers and kinds are said. Knows no run and no state.

pub mod names;
pub mod numbers;
