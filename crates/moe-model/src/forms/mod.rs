//! The parts of a block, a file for each form: its sizes, its parameters, how they begin, and what the reference forward
//! makes of them (`Config → init → forward`).
//!
//! A new form of gate is a file beside `cosine_gate.rs` and a variant in `gate.rs`. The compiler then leads to the fused
//! path, and a test to the table of names in `architecture/`.

pub mod adapters;
pub mod attention;
pub mod cosine_gate;
pub mod experts;
pub mod gate;
pub mod initial;
pub mod linear_gate;
pub mod shared_experts;
