//! Products with matrices that stay 8 bit in memory, as they lie in a weights file: no number of them is unpacked.
//!
//! A row of activations is rounded to 16 bits in blocks with a scale each, whole numbers are multiplied and summed in 32
//! bits, and each block's sum is scaled in f32. Sums of whole numbers are the same in any order, so SIMD of WebAssembly,
//! SIMD of x86-64 and the plain loop give the same in every bit, and so do one row and many.

mod activations;
mod experts;
mod matrix;
mod product;
mod sums;

pub use experts::{PackedExperts, expert_down, expert_up};
pub use matrix::{PackedMatrix, STORED_BLOCK, Stored};
pub use product::{add_matrix_times_packed, add_rows_times_packed, add_rows_times_packed_plainly};
