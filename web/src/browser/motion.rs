//! What the reader's system says about motion.

use js_sys::{Function, Reflect};
use wasm_bindgen::JsCast;
use wasm_bindgen::JsValue;

/// May something move by itself? Not where the reader asked for less motion, and not where nobody can say.
pub fn is_welcome() -> bool {
    let Some(window) = web_sys::window() else { return false };
    let query = JsValue::from_str("(prefers-reduced-motion: no-preference)");
    let asked = Reflect::get(&window, &"matchMedia".into()).ok().and_then(|ask| ask.dyn_into::<Function>().ok());
    let answer = asked.and_then(|ask| ask.call1(&window, &query).ok());
    answer.and_then(|answer| Reflect::get(&answer, &"matches".into()).ok()?.as_bool()).unwrap_or(false)
}
