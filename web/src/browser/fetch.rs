//! Small files as text, and JSON as Rust values.
//!
//! By hand rather than by gloo-net, which brings a parser of headers, one of JSON and its own errors; the browser has both.

use moe_trace::limits::FILE_BYTES;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::RequestCache;

use crate::browser::wire;

/// The text at an absolute address, or a sentence that says why there is none. These files keep their names from
/// version to version, so the server is always asked whether the browser's copy is still good.
pub async fn text(url: &str) -> Result<String, String> {
    let response = response(url).await?;
    let name = file_name(url);
    let cut = |_| say!("The connection ended before {name} was whole.", name);
    let text = JsFuture::from(response.text().map_err(cut)?).await.map_err(cut)?;
    let text = text.as_string().unwrap_or_default();
    match text.trim_start() {
        page if page.starts_with('<') => Err(say!("Instead of {name} a web page arrived.", name)),
        pointer if pointer.starts_with("version https://git-lfs") => {
            Err(say!("Instead of {name} a Git LFS pointer arrived.", name))
        }
        _ => Ok(text),
    }
}

/// The bytes at an absolute address, whatever they are, or a sentence that says why there are none.
#[cfg(feature = "page")]
pub async fn bytes(url: &str) -> Result<Vec<u8>, String> {
    let response = response(url).await?;
    let cut = |_| say!("The connection ended before {name} was whole.", name = file_name(url));
    let buffer = JsFuture::from(response.array_buffer().map_err(cut)?).await.map_err(cut)?;
    Ok(js_sys::Uint8Array::new(&buffer).to_vec())
}

async fn response(url: &str) -> Result<web_sys::Response, String> {
    let window = web_sys::window().ok_or("There is no window.")?;
    let name = file_name(url);
    let asked = |cache| {
        let options = web_sys::RequestInit::new();
        options.set_cache(cache);
        JsFuture::from(window.fetch_with_str_and_init(url, &options))
    };
    let response = match asked(RequestCache::NoCache).await {
        Ok(response) => response,
        // Without a network the browser's copy is better than nothing.
        Err(_) => {
            let nothing = |_| say!("Nothing came back for {name}.", name);
            asked(RequestCache::ForceCache).await.map_err(nothing)?
        }
    };
    let response: web_sys::Response = response.unchecked_into();
    if !response.ok() {
        return Err(say!("{name} was answered with status {status}.", name, status = response.status()));
    }
    // A larger file is not even begun. A server that says nothing of its length, or a smaller one of what it compressed,
    // is believed.
    if let Some(length) = length(&response).filter(|length| *length > FILE_BYTES) {
        return Err(say!("{name} has {length} bytes; at most {most} are read.", name, length, most = FILE_BYTES));
    }
    Ok(response)
}

/// The last part of an address, without its query.
fn file_name(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    path.rsplit('/').find(|part| !part.is_empty()).unwrap_or(path)
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
    wire::from_js(plain)
}

fn describe(error: &JsValue) -> String {
    match error.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.message()),
        None => format!("{error:?}"),
    }
}
