//! The focus, moved without moving the page around it.

use js_sys::{Function, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::HtmlElement;

/// Puts the focus on an element, and scrolls nothing. One that cannot take it leaves it where it is.
pub fn focus_in_place(element: &HtmlElement) {
    let options = Object::new();
    let focus = Reflect::get(element, &"focus".into()).ok().and_then(|focus| focus.dyn_into::<Function>().ok());
    if let (Some(focus), Ok(_)) = (focus, Reflect::set(&options, &"preventScroll".into(), &JsValue::TRUE)) {
        let _ = focus.call1(element, &options);
    }
}
