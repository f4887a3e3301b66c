//! The page in a document: mounted, told of keys, spoken for by events.

mod app;
mod dom;
mod mount;
mod route;
mod stage;

pub use mount::{Handle, mount};
pub use route::route_logits;
