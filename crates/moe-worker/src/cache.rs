//! The browser's cache of model files, keyed by hash. Only files whose hash was right go in; what comes out is checked
//! again, and thrown away if it does not fit.

use js_sys::Uint8Array;
use moe_engine::manifest::{FileEntry, sha256_hex};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Cache, Response};

use crate::mailbox::scope;

const NAME: &str = "moe-playground-models";

/// The cached bytes of a file, if they are there and whole. A browser that refuses a cache has none.
pub async fn get(url: &str, entry: &FileEntry) -> Option<Vec<u8>> {
    let cache = open().await?;
    let key = key(url, entry);
    let response: Response = JsFuture::from(cache.match_with_str(&key)).await.ok()?.dyn_into().ok()?;
    let buffer = JsFuture::from(response.array_buffer().ok()?).await.ok()?;
    let bytes = Uint8Array::new(&buffer).to_vec();
    if sha256_hex(&bytes) == entry.sha256 {
        return Some(bytes);
    }
    let _ = JsFuture::from(cache.delete_with_str(&key)).await;
    None
}

/// Keeps the bytes of a file. A full or forbidden cache is no error: the next visit fetches again.
pub async fn put(url: &str, entry: &FileEntry, bytes: &[u8]) {
    let Some(cache) = open().await else { return };
    let body = Uint8Array::from(bytes);
    if let Ok(response) = Response::new_with_opt_buffer_source(Some(&body)) {
        let _ = JsFuture::from(cache.put_with_str(&key(url, entry), &response)).await;
    }
}

async fn open() -> Option<Cache> {
    let caches = scope().caches().ok()?;
    JsFuture::from(caches.open(NAME)).await.ok().map(JsValue::unchecked_into)
}

/// The file's address with its hash: another version is another entry.
fn key(url: &str, entry: &FileEntry) -> String {
    format!("{url}?sha256={}", entry.sha256)
}
