//! The transformer: tokens in, logits and a routing trace out.
//!
//! It exists twice over the same weights. [`reference`] is plain burn operations: any routing rule, differentiable,
//! whole sequences; training runs on it. [`fused`] is a few custom kernels with a key-value cache; the page runs on it.
//! A test holds the two together. Begin with `examples/moe_layer.rs`: a layer from tokens to output, in one breath.

pub mod architecture;
pub mod changes;
pub mod checkpoint;
pub mod config;
pub mod forms;
pub mod fused;
pub mod history;
pub mod manifest;
pub mod packed;
pub mod possible_changes;
pub mod read_back;
pub mod reference;
pub mod routing_inputs;
pub mod routing_rows;
pub mod sample;
pub mod tensors;
pub mod tokenizer;
pub mod weights;

pub use architecture::Architecture;
pub use changes::Changes;
pub use config::ModelConfig;
pub use fused::{Extent, Fused, StepInput, StepOutput, TextToken, Texts};
pub use manifest::Manifest;
pub use packed::PackedWeights;
pub use read_back::TensorError;
pub use routing_inputs::RoutingInputs;
pub use tokenizer::Tokenizer;
pub use weights::Weights;

/// Routers and the devices a model runs on are part of this crate's interface.
pub use moe_kernels::device;
pub use moe_router::Router;
pub use moe_router::rule::Besides;

/// A backend's device, as burn names it.
pub use burn::tensor::Device;

/// For the trials of readers.
#[cfg(test)]
#[global_allocator]
static MEMORY: moe_fuzz::memory::Counting = moe_fuzz::memory::Counting;
