//! Browser timers and frames that end when they are dropped.
//!
//! By hand rather than by gloo-timers, which panics where a timer cannot be set; here it is never called back.

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

/// Calls back once, unless dropped before.
pub struct Timeout {
    id: i32,
    _closure: Closure<dyn FnMut()>,
}

/// Calls back once, before the browser draws its next frame, unless dropped before. Nothing is drawn of a page that nobody
/// sees, and then it waits.
pub struct Frame {
    id: i32,
    _closure: Closure<dyn FnMut()>,
}

/// Calls back again and again until dropped.
pub struct Interval {
    id: i32,
    _closure: Closure<dyn FnMut()>,
}

impl Timeout {
    pub fn new(after_ms: i32, callback: impl FnOnce() + 'static) -> Timeout {
        let closure = Closure::once(callback);
        let function = closure.as_ref().unchecked_ref();
        let id = web_sys::window()
            .and_then(|window| window.set_timeout_with_callback_and_timeout_and_arguments_0(function, after_ms).ok());
        Timeout { id: id.unwrap_or_default(), _closure: closure }
    }
}

impl Drop for Timeout {
    fn drop(&mut self) {
        if let Some(window) = web_sys::window() {
            window.clear_timeout_with_handle(self.id);
        }
    }
}

impl Frame {
    pub fn new(callback: impl FnOnce() + 'static) -> Frame {
        let closure = Closure::once(callback);
        let function = closure.as_ref().unchecked_ref();
        let id = web_sys::window().and_then(|window| window.request_animation_frame(function).ok());
        Frame { id: id.unwrap_or_default(), _closure: closure }
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        if let Some(window) = web_sys::window() {
            // One that was drawn needs no cancelling.
            let _ = window.cancel_animation_frame(self.id);
        }
    }
}

impl Interval {
    pub fn new(every_ms: i32, callback: impl FnMut() + 'static) -> Interval {
        let closure: Closure<dyn FnMut()> = Closure::new(callback);
        let function = closure.as_ref().unchecked_ref();
        let id = web_sys::window()
            .and_then(|window| window.set_interval_with_callback_and_timeout_and_arguments_0(function, every_ms).ok());
        Interval { id: id.unwrap_or_default(), _closure: closure }
    }
}

impl Drop for Interval {
    fn drop(&mut self) {
        if let Some(window) = web_sys::window() {
            window.clear_interval_with_handle(self.id);
        }
    }
}

/// Milliseconds since the page began; only differences mean anything.
pub fn now_ms() -> f64 {
    web_sys::window().and_then(|window| window.performance()).map_or(0.0, |performance| performance.now())
}
