//! The page: one reducer, small views, and effects that speak to the worker and the document. Mounted by the custom
//! element `<moe-playground>`.
//!
//! Folders, each of which imports only from those named before it: how things are said ([`words`]), what can be asked for
//! ([`settings`]), the browser in small pieces (`browser`), a run as data ([`run`]), everything the page knows
//! ([`state`]), what it asks of the world (`effects`), how it is drawn ([`views`]), and the page in a document (`page`).

#[macro_use]
pub mod words;

pub mod settings;

mod browser;

pub mod run;

pub mod state;

mod effects;

#[macro_use]
pub mod views;

mod page;

pub use page::{Handle, mount, route_logits};

/// For the trials of readers.
#[cfg(test)]
#[global_allocator]
static MEMORY: moe_fuzz::memory::Counting = moe_fuzz::memory::Counting;
