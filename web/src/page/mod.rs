//! The page in a document: mounted, told of keys, spoken for by events.

mod app;
mod dom;
mod mount;

pub use mount::{Handle, mount};
