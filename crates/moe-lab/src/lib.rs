//! Trainings that are steered while they run: a [`Lab`] takes commands, does one optimiser step at a time, and tells
//! what it saw. Clock, network and screen are the caller's, so a browser's worker and a native test run the same steps.
//!
//! Text is bytes: a token is a byte, and the vocabulary has 256 of them. So nats per token become bits per byte by one
//! division, and no tokenizer has to be trained on a text of a few thousand words. Only adapters, which stand beside a
//! model that is there already, learn that model's tokens.

mod adapting;
mod distilling;
mod grammars;
mod lab;
mod memory;
mod report;
mod request;
mod reshape;
mod saved;
mod sums;
mod teacher;
mod text;
mod training;

pub use lab::Lab;

/// Where the numbers are computed is the caller's choice.
pub use moe_model::{Device, device};

/// For the trials of readers.
#[cfg(test)]
#[global_allocator]
static MEMORY: moe_fuzz::memory::Counting = moe_fuzz::memory::Counting;
