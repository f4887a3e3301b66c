//! What a web worker of ours needs of its browser: messages in and out as plain objects, and as text what is said often;
//! turns between pieces of work, and patience for promises that may never settle.
#![cfg(target_family = "wasm")]

mod often;
pub mod patience;
mod turns;

pub use often::Often;
pub use turns::{Turns, Wake};

use moe_trace::UserError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::{Closure, JsCast, JsValue};
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent};

/// The global scope of this worker.
pub fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Posts an event to the page. Missing values are `null`, so that both sides see every field; bytes are a `Uint8Array`.
pub fn post(event: &impl Serialize) {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible().serialize_bytes_as_arrays(false);
    match event.serialize(&serializer) {
        Ok(message) => {
            // Posting fails only for what cannot be cloned; events are numbers, texts and arrays.
            let _ = scope().post_message(&message);
        }
        Err(error) => web_sys::console::error_1(&JsValue::from_str(&error.to_string())),
    }
}

/// Milliseconds since the worker began; only differences mean anything.
pub fn now_ms() -> f64 {
    scope().performance().map_or(0.0, |clock| clock.now())
}

/// Calls `receive` for every command that arrives from now on, and with an error for what is none.
pub fn listen<C: DeserializeOwned + 'static>(receive: impl Fn(Result<C, UserError>) + 'static) {
    let on_message = Closure::<dyn Fn(MessageEvent)>::new(move |message: MessageEvent| {
        let command = serde_wasm_bindgen::from_value::<C>(message.data());
        receive(command.map_err(|error| {
            let what = "The engine did not understand the page.";
            UserError::new(what, "They are of different versions.", "Reload the page.").with_details(error)
        }));
    });
    scope().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    // The worker listens as long as it lives.
    on_message.forget();
}
