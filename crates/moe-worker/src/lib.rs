//! The engine inside a web worker: fetches the model, receives commands, posts events.
//!
//! The worker is disposable. A panic or a lost device is reported as a fatal `Failed`; the page then replaces the worker.
//! It answers messages and needs no page; only the advice in its errors speaks to a reader of one.
#![cfg(target_family = "wasm")]

mod backend;
mod cache;
mod fetch;
#[cfg(feature = "gpu")]
mod gpu;
mod mailbox;
mod model;
mod serve;
mod then;

use std::panic;

use moe_trace::{Event, UserError};
use wasm_bindgen::prelude::wasm_bindgen;

/// Starts to serve commands. The bootstrap script calls it once, after the module is initialised.
#[wasm_bindgen]
pub fn start() {
    panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        let error = UserError::new(
            "The engine stopped working.",
            "It met a bug of its own.",
            "If this repeats, reload the page.",
        );
        let error = error.with_details(info);
        moe_mailbox::post(&Event::Failed { run: None, error, fatal: true });
    }));
    serve::start();
}
