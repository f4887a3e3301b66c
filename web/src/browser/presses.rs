//! Presses of mouse, finger or pen anywhere on the document, heard until this is dropped.
//!
//! By hand, as the keys are, rather than by gloo-events, which panics where a listener cannot be added.

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Document, Event};

pub struct Presses {
    document: Document,
    on_press: Closure<dyn FnMut(Event)>,
}

const PRESS: &str = "pointerdown";

impl Presses {
    /// `None` where there is no document to listen to.
    pub fn listen(press: impl Fn(&Event) + 'static) -> Option<Presses> {
        let document = web_sys::window()?.document()?;
        let on_press = Closure::new(move |event: Event| press(&event));
        document.add_event_listener_with_callback(PRESS, on_press.as_ref().unchecked_ref()).ok()?;
        Some(Presses { document, on_press })
    }
}

impl Drop for Presses {
    fn drop(&mut self) {
        // A listener that is not there needs no removing.
        let _ = self.document.remove_event_listener_with_callback(PRESS, self.on_press.as_ref().unchecked_ref());
    }
}
