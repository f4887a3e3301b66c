//! A token that is carried with the mouse from its slot to somewhere else.

use js_sys::{Function, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use yew::prelude::*;

/// A type of our own: what comes from other programs is not taken for a token.
const TYPE: &str = "application/x-moe-token";

/// Takes a token up.
pub fn take_up(event: &DragEvent, token: usize) {
    call(event, "setData", &[TYPE.into(), token.to_string().into()]);
}

/// The token that is let fall here.
pub fn fallen(event: &DragEvent) -> Option<usize> {
    call(event, "getData", &[TYPE.into()])?.as_string()?.parse().ok()
}

/// A method of what is carried. By name, since it is the only use of its type in the page.
fn call(event: &DragEvent, method: &str, arguments: &[JsValue]) -> Option<JsValue> {
    let carried = Reflect::get(event, &"dataTransfer".into()).ok()?;
    let method: Function = Reflect::get(&carried, &method.into()).ok()?.dyn_into().ok()?;
    method.apply(&carried, &arguments.iter().collect()).ok()
}
