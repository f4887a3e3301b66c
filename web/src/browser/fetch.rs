//! Small files as text, and JSON as Rust values.

use moe_trace::limits::FILE_BYTES;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::browser::wire;

/// The text at an absolute address, or a sentence that says why there is none. These files keep their names from
/// version to version, so the server is always asked whether the browser's copy is still good.
pub async fn text(url: &str) -> Result<String, String> {
    let window = web_sys::window().ok_or("There is no window.")?;
    let options = web_sys::RequestInit::new();
    options.set_cache(web_sys::RequestCache::NoCache);
    let response =
        JsFuture::from(window.fetch_with_str_and_init(url, &options)).await.map_err(|error| describe(&error))?;
    let response: web_sys::Response = response.dyn_into().map_err(|_| "The answer is not a response.".to_owned())?;
    if !response.ok() {
        return Err(format!("{url} answered with status {}.", response.status()));
    }
    // A larger file is not even begun. A server that says nothing of its length, or a smaller one of what it compressed,
    // is believed.
    if let Some(length) = length(&response).filter(|length| *length > FILE_BYTES) {
        return Err(format!("{url} has {length} bytes; at most {FILE_BYTES} are read."));
    }
    let text = response.text().map_err(|error| describe(&error))?;
    let text = JsFuture::from(text).await.map_err(|error| describe(&error))?;
    text.as_string().ok_or_else(|| format!("{url} is no text."))
}

/// What the server says of the length.
fn length(response: &web_sys::Response) -> Option<u64> {
    let headers = js_sys::Reflect::get(response, &"headers".into()).ok()?;
    let get: js_sys::Function = js_sys::Reflect::get(&headers, &"get".into()).ok()?.dyn_into().ok()?;
    get.call1(&headers, &"content-length".into()).ok()?.as_string()?.parse().ok()
}

/// The value of a text of JSON.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let plain = js_sys::JSON::parse(text).map_err(|error| describe(&error))?;
    wire::from_js(plain).map_err(|error| error.to_string())
}

fn describe(error: &JsValue) -> String {
    match error.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.message()),
        None => format!("{error:?}"),
    }
}
