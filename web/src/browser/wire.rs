//! Rust values as plain JavaScript objects and back, as worker, events and `getTrace` carry them.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;

/// Structs and maps become objects, absent values `null`: what `JSON.parse` of the same value would give. Only bytes are
/// a `Uint8Array`, which JSON has not.
pub fn to_js<T: Serialize>(value: &T) -> Result<JsValue, serde_wasm_bindgen::Error> {
    value.serialize(&Serializer::json_compatible().serialize_bytes_as_arrays(false))
}

/// What a worker says: one thing as a plain object, or where it says much, several as the text of their list in JSON.
pub fn from_worker<T: DeserializeOwned>(message: JsValue) -> Result<Vec<T>, serde_wasm_bindgen::Error> {
    match message.is_string() {
        true => js_sys::Array::from(&parsed(&message)?).iter().map(from_js).collect(),
        false => from_js(message).map(|one| vec![one]),
    }
}

#[wasm_bindgen]
extern "C" {
    /// Of the browser's own text, which so is not copied into the module and back.
    #[wasm_bindgen(js_namespace = JSON, js_name = parse, catch)]
    fn parsed(text: &JsValue) -> Result<JsValue, JsValue>;
}

/// Accepts `null` and `undefined` alike for an absent value.
pub fn from_js<T: DeserializeOwned>(value: JsValue) -> Result<T, serde_wasm_bindgen::Error> {
    serde_wasm_bindgen::from_value(value)
}
