//! Who may work when: a macrotask between two pieces of work, and sleep until there is some.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::MessageChannel;

/// Yields one macrotask through a `MessageChannel`, so that messages which have arrived are received; timers are
/// throttled. One channel serves all turns, because a new one takes a busy browser seconds to connect.
pub struct Turns(Option<MessageChannel>);

impl Default for Turns {
    fn default() -> Turns {
        Turns(MessageChannel::new().ok())
    }
}

impl Turns {
    pub async fn next(&self) {
        let promise = Promise::new(&mut |resolve, _| match &self.0 {
            Some(channel) => {
                channel.port1().set_onmessage(Some(&resolve));
                let _ = channel.port2().post_message(&JsValue::NULL);
            }
            None => {
                let _ = resolve.call0(&JsValue::NULL);
            }
        });
        let _ = JsFuture::from(promise).await;
    }
}

/// Lets a loop sleep until somebody wakes it.
#[derive(Clone, Default)]
pub struct Wake(Rc<Cell<Option<Function>>>);

impl Wake {
    pub fn wake(&self) {
        if let Some(resolve) = self.0.take() {
            let _ = resolve.call0(&JsValue::NULL);
        }
    }

    pub async fn wait(&self) {
        let promise = Promise::new(&mut |resolve, _| self.0.set(Some(resolve)));
        let _ = JsFuture::from(promise).await;
    }
}
