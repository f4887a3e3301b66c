//! A session: prompt to events. Takes bytes and returns events; network, clock and screen are the caller's.

mod batch;
mod engine;
mod run;
mod self_check;
mod text;
mod then;
mod timing;

pub use engine::{Arithmetic, Counter, Engine, LoadError};
pub use run::RunError;

/// What a caller needs to load an engine: the manifest, its hashes, a device; and how much of a text it computes.
pub use moe_model::{Device, Extent, Manifest, device, manifest};
