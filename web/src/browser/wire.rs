//! Rust values as plain JavaScript objects and back, as worker, events and `getTrace` carry them.

mod object;
mod read;
#[cfg(test)]
mod tests;
mod write;

use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;

/// Structs and maps become objects, absent values `null`: what `JSON.parse` of the same value would give. Only bytes are
/// a `Uint8Array`, which JSON has not.
pub fn to_js<T: Serialize>(value: &T) -> JsValue {
    write::write(value)
}

/// Accepts `null` and `undefined` alike for an absent value. The error says what is wrong as an error of JavaScript's
/// would say it.
pub fn from_js<T: DeserializeOwned>(value: JsValue) -> Result<T, String> {
    read::read(value).map_err(|error| format!("Error: {error}"))
}
