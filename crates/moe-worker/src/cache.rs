//! The browser's cache of model files, keyed by hash, and of the manifests that name them. Only files whose hash was right
//! go in; what comes out is checked again, and thrown away if it does not fit.
//!
//! A browser may have no cache (over plain http, in private windows), refuse to open it, be out of space, drop entries, or
//! never answer. Whatever it does, the files still come over the network; the page says once that they are not kept.

use std::cell::RefCell;

use js_sys::{Array, Reflect, Uint8Array};
use moe_engine::manifest::{FileEntry, sha256_hex};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Cache as Storage, CacheStorage, Request, Response};

use moe_mailbox::patience::within;
use moe_mailbox::scope;

const NAME: &str = "moe-playground-models";
/// Where the bootstrap, `worker.js`, keeps the engine itself.
const ENGINE: &str = "moe-playground-engine";
/// A cache that has not answered for so long never will. Writing a large file takes its time.
const READ_MS: i32 = 3_000;
const WRITE_MS: i32 = 20_000;

/// The cache, or why there is none.
pub struct Cache {
    storage: Option<Storage>,
    why_not: RefCell<Option<String>>,
}

impl Cache {
    pub async fn open() -> Cache {
        let (storage, why_not) = match storage().await {
            Ok(storage) => (Some(storage), None),
            Err(why) => (None, Some(why)),
        };
        Cache { storage, why_not: RefCell::new(why_not) }
    }

    /// Why what was loaded is not kept for the next visit.
    pub fn why_not(&self) -> Option<String> {
        self.why_not.borrow().clone()
    }

    /// The cached bytes of a file, if they are there and whole.
    pub async fn file(&self, url: &str, entry: &FileEntry) -> Option<Vec<u8>> {
        let key = key_of_file(url, entry);
        let bytes = self.bytes(&key).await?;
        if sha256_hex(&bytes) == entry.sha256 {
            return Some(bytes);
        }
        self.remove(&key).await;
        None
    }

    pub async fn keep_file(&self, url: &str, entry: &FileEntry, bytes: &[u8]) {
        self.keep(&key_of_file(url, entry), bytes).await;
    }

    /// The manifest as it was when it last came over the network.
    pub async fn manifest(&self, url: &str) -> Option<Vec<u8>> {
        self.bytes(&without_query(url)).await
    }

    pub async fn keep_manifest(&self, url: &str, bytes: &[u8]) {
        self.keep(&without_query(url), bytes).await;
    }

    /// Addresses and bytes of all manifests that are kept.
    pub async fn manifests(&self) -> Vec<(String, Vec<u8>)> {
        let mut manifests = Vec::new();
        for key in self.keys().await.into_iter().filter(|key| !key.contains(HASH)) {
            if let Some(bytes) = self.bytes(&key).await {
                manifests.push((key, bytes));
            }
        }
        manifests
    }

    /// Drops what is not among `needed` and is no manifest; returns how many bytes are kept.
    pub async fn keep_only(&self, needed: &[(&str, &FileEntry)]) -> u32 {
        let needed: Vec<(String, u32)> =
            needed.iter().map(|(url, entry)| (key_of_file(url, entry), entry.bytes)).collect();
        let mut kept = 0_u32;
        for key in self.keys().await.into_iter().filter(|key| key.contains(HASH)) {
            match needed.iter().find(|(needed, _)| *needed == key) {
                Some((_, bytes)) => kept = kept.saturating_add(*bytes),
                None => self.remove(&key).await,
            }
        }
        kept
    }

    async fn keys(&self) -> Vec<String> {
        let Some(storage) = &self.storage else { return Vec::new() };
        let Some(Ok(keys)) = within(READ_MS, JsFuture::from(storage.keys())).await else { return Vec::new() };
        Array::from(&keys).iter().map(|request| request.unchecked_into::<Request>().url()).collect()
    }

    async fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        // One that was silent once is not waited for again.
        let storage = self.storage.as_ref().filter(|_| self.why_not.borrow().is_none())?;
        let read = async {
            let response: Response = JsFuture::from(storage.match_with_str(key)).await.ok()?.dyn_into().ok()?;
            let buffer = JsFuture::from(response.array_buffer().ok()?).await.ok()?;
            Some(Uint8Array::new(&buffer).to_vec())
        };
        match within(READ_MS, read).await {
            Some(bytes) => bytes,
            None => {
                self.fails(SILENT);
                None
            }
        }
    }

    async fn keep(&self, key: &str, bytes: &[u8]) {
        let Some(storage) = self.storage.as_ref().filter(|_| self.why_not.borrow().is_none()) else { return };
        let body = Uint8Array::from(bytes);
        let Ok(response) = Response::new_with_opt_buffer_source(Some(&body)) else { return };
        match within(WRITE_MS, JsFuture::from(storage.put_with_str(key, &response))).await {
            Some(Ok(_)) => {}
            Some(Err(error)) if is_full(&error) => self.fails("this browser has no room left for it"),
            Some(Err(_)) => self.fails("this browser refuses to store it"),
            None => self.fails(SILENT),
        }
    }

    async fn remove(&self, key: &str) {
        if let Some(storage) = &self.storage {
            within(READ_MS, JsFuture::from(storage.delete_with_str(key))).await;
        }
    }

    fn fails(&self, why: &str) {
        self.why_not.borrow_mut().get_or_insert_with(|| why.to_owned());
    }
}

const SILENT: &str = "this browser's storage does not answer";

/// Drops everything.
pub async fn remove_all() {
    let caches = Reflect::get(&scope(), &"caches".into()).ok().filter(JsValue::is_object);
    let Some(caches) = caches else { return };
    let caches: CacheStorage = caches.unchecked_into();
    for name in [NAME, ENGINE] {
        within(WRITE_MS, JsFuture::from(caches.delete(name))).await;
    }
}

async fn storage() -> Result<Storage, String> {
    let caches = Reflect::get(&scope(), &"caches".into()).ok().filter(JsValue::is_object);
    let Some(caches) = caches else {
        return Err(match scope().is_secure_context() {
            true => "this browser has no storage for it".to_owned(),
            false => "the page came over plain http, where browsers have no storage for it".to_owned(),
        });
    };
    let caches: CacheStorage = caches.unchecked_into();
    match within(READ_MS, JsFuture::from(caches.open(NAME))).await {
        Some(Ok(storage)) => Ok(storage.unchecked_into()),
        Some(Err(_)) => Err("this browser refuses to store it".to_owned()),
        None => Err(SILENT.to_owned()),
    }
}

fn is_full(error: &JsValue) -> bool {
    let name = Reflect::get(error, &"name".into()).ok().and_then(|name| name.as_string());
    name.is_some_and(|name| name.contains("Quota"))
}

/// In the key of a file, between its address and its hash.
const HASH: &str = "?sha256=";

/// The file's address with its hash: another version is another entry. Another signature in its query is not.
fn key_of_file(url: &str, entry: &FileEntry) -> String {
    format!("{}{HASH}{}", without_query(url), entry.sha256)
}

fn without_query(url: &str) -> String {
    url.split(['?', '#']).next().unwrap_or(url).to_owned()
}
