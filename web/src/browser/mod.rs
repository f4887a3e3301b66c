//! The browser in small pieces, each without meaning: a worker's life, a fetch, a timer, plain objects, addresses.

pub mod address;
pub mod carry;
pub mod engine_client;
pub mod fetch;
#[cfg(feature = "page")]
pub mod files;
pub mod focus;
pub mod graphemes;
pub mod keys;
pub mod languages;
pub mod letters;
pub mod module_worker;
pub mod motion;
pub mod panics;
pub mod presses;
pub mod sight;
pub mod timers;
pub mod watchdog;
pub mod wire;
