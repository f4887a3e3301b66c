//! Rust values as plain JavaScript objects and back, as worker, events and `getTrace` carry them.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

/// Structs and maps become objects, absent values `null`: what `JSON.parse` of the same value would give. Only bytes are
/// a `Uint8Array`, which JSON has not.
pub fn to_js<T: Serialize>(value: &T) -> Result<JsValue, serde_wasm_bindgen::Error> {
    value.serialize(&Serializer::json_compatible().serialize_bytes_as_arrays(false))
}

/// Accepts `null` and `undefined` alike for an absent value.
pub fn from_js<T: DeserializeOwned>(value: JsValue) -> Result<T, serde_wasm_bindgen::Error> {
    serde_wasm_bindgen::from_value(value)
}
