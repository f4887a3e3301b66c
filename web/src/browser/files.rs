//! Files that the reader chooses, and files that the browser keeps. By name, since these are the only uses of their types
//! in the page; gloo-file would bring bindings of all of them, and panics where a file cannot be read or made.

use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{HtmlElement, HtmlInputElement};

use crate::browser::timers::Timeout;

/// How long a file's address is good for: until the browser has surely begun.
const KEPT_MS: i32 = 60_000;

/// Reads the files that were chosen in a field, and empties it, so that the same can be chosen again. `done`: their names
/// and bytes; none where one is larger than `most_bytes` or cannot be read.
pub fn read(field: &HtmlInputElement, most_bytes: usize, done: impl FnOnce(Vec<(String, Option<Vec<u8>>)>) + 'static) {
    let files = Reflect::get(field, &"files".into()).map(|files| Array::from(&files)).unwrap_or_default();
    field.set_value("");
    spawn_local(async move {
        let mut found = Vec::new();
        for file in files.iter() {
            let name = Reflect::get(&file, &"name".into()).ok().and_then(|name| name.as_string());
            found.push((name.unwrap_or_default(), content(&file, most_bytes).await.ok()));
        }
        done(found);
    });
}

async fn content(file: &JsValue, most_bytes: usize) -> Result<Vec<u8>, JsValue> {
    let size = Reflect::get(file, &"size".into())?.as_f64().unwrap_or(f64::INFINITY);
    if size > most_bytes as f64 {
        return Err(JsValue::UNDEFINED);
    }
    let promise: Promise = call(file, "arrayBuffer", &[])?.dyn_into()?;
    Ok(Uint8Array::new(&JsFuture::from(promise).await?).to_vec())
}

/// Lets the browser keep a file, as a link to it would.
pub fn keep(name: &str, bytes: &[u8]) {
    // Where a browser has no files, nothing is kept.
    let _ = try_to_keep(name, bytes);
}

fn try_to_keep(name: &str, bytes: &[u8]) -> Result<(), JsValue> {
    let global = js_sys::global();
    let blob: Function = Reflect::get(&global, &"Blob".into())?.dyn_into()?;
    let blob = Reflect::construct(&blob, &Array::of1(&Array::of1(&Uint8Array::from(bytes))))?;
    let url: Object = Reflect::get(&global, &"URL".into())?.dyn_into()?;
    let address = call(&url, "createObjectURL", &[blob])?;
    let document = web_sys::window().and_then(|window| window.document()).ok_or(JsValue::UNDEFINED)?;
    let link: HtmlElement = document.create_element("a")?.dyn_into()?;
    link.set_attribute("href", &address.as_string().unwrap_or_default())?;
    link.set_attribute("download", name)?;
    link.click();
    let forget = Timeout::new(KEPT_MS, move || {
        let _ = call(&url, "revokeObjectURL", &[address]);
    });
    // It fires by itself; dropped, it would not.
    std::mem::forget(forget);
    Ok(())
}

fn call(of: &JsValue, method: &str, arguments: &[JsValue]) -> Result<JsValue, JsValue> {
    let method: Function = Reflect::get(of, &method.into())?.dyn_into()?;
    method.apply(of, &arguments.iter().collect())
}
