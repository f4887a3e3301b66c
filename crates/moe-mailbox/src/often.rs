//! What is said hundreds of times a second: several events in one message, which is the text of their list in JSON.
//!
//! To make, carry and read an object of hundreds of values one by one takes a browser as long as a small model's step, and
//! its text a fraction of that. A message by itself costs as much again, and a page draws no more often than every 16 ms.
//!
//! A number of 32 bits is written as the shortest decimal that means it, read as one of 64 and rounded to 32 again: the
//! same, but for 7.038531e-26, the only one between 1e-38 and 1e12 of which the neighbour arrives.

use serde::Serialize;
use wasm_bindgen::prelude::JsValue;

use crate::{now_ms, scope};

/// Events that have not been sent yet. Those that remain are sent when it is dropped.
#[derive(Default)]
pub struct Often {
    /// A list in JSON without its end; empty if nothing waits.
    text: String,
    sent_ms: Option<f64>,
}

/// Events wait at most so long for others; but for a single one that takes longer, and is sent with it.
const TOGETHER_MS: f64 = 4.0;

impl Often {
    /// Says an event: at once, or with others that follow within moments.
    pub fn say(&mut self, event: &impl Serialize) {
        match serde_json::to_string(event) {
            Ok(event) => {
                self.text.push(if self.text.is_empty() { '[' } else { ',' });
                self.text.push_str(&event);
            }
            Err(error) => web_sys::console::error_1(&JsValue::from_str(&error.to_string())),
        }
        if self.sent_ms.is_none_or(|sent_ms| now_ms() - sent_ms >= TOGETHER_MS) {
            self.send();
        }
    }

    /// Sends what waits.
    pub fn send(&mut self) {
        if !self.text.is_empty() {
            self.sent_ms = Some(now_ms());
            self.text.push(']');
            // A text can always be cloned.
            let _ = scope().post_message(&JsValue::from_str(&self.text));
            self.text.clear();
        }
    }
}

impl Drop for Often {
    fn drop(&mut self) {
        self.send();
    }
}
