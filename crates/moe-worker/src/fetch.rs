//! Fetching a model's files: byte-exact progress, hash check, one retry of what arrived cut or corrupt.

use js_sys::{Reflect, Uint8Array};
use moe_engine::Manifest;
use moe_engine::manifest::{FileEntry, sha256_hex};
use moe_trace::{Event, UserError};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStreamDefaultReader, RequestCache, RequestInit, Response, Url};

use crate::cache;
use crate::mailbox::scope;

/// Why a file did not arrive.
#[derive(Debug, Clone, PartialEq)]
pub enum FetchError {
    /// No answer at all.
    Network { url: String },
    /// An answer that is not the file.
    Status { url: String, status: u16 },
    /// Fewer or more bytes than promised.
    Length { url: String, expected: u32, found: u32 },
    /// The right number of bytes, but others.
    Hash { url: String },
}

impl From<FetchError> for UserError {
    fn from(error: FetchError) -> UserError {
        let why = match error {
            FetchError::Network { url } => format!("Nothing came back from {url}."),
            FetchError::Status { url, status } => format!("{url} was answered with status {status}."),
            FetchError::Length { url, expected, found } => {
                format!(
                    "The second try, too, brought {found} bytes of {url} instead of {expected}; they were thrown away."
                )
            }
            FetchError::Hash { url } => format!("{url} arrived corrupt at the second try, too; it was thrown away."),
        };
        UserError::new(
            "The model could not be fetched.",
            why,
            "Check the connection and press Retry; the recorded run works without the model.",
        )
    }
}

/// The files of a model and where they are.
pub struct Files {
    weights: (String, FileEntry),
    tokenizer: (String, FileEntry),
}

impl Files {
    /// `manifest_url`: absolute.
    pub fn new(manifest_url: &str, manifest: &Manifest) -> Result<Files, FetchError> {
        let resolve = |entry: &FileEntry| match Url::new_with_base(&entry.file, manifest_url) {
            Ok(url) => Ok((url.href(), entry.clone())),
            Err(_) => Err(FetchError::Network { url: entry.file.clone() }),
        };
        Ok(Files { weights: resolve(&manifest.weights)?, tokenizer: resolve(&manifest.tokenizer)? })
    }

    /// The bytes of weights and tokenizer, from the cache or the network. Progress counts both together.
    pub async fn get(&self, report: impl Fn(Event)) -> Result<(Vec<u8>, Vec<u8>), FetchError> {
        let total_bytes = self.weights.1.bytes + self.tokenizer.1.bytes;
        let progress = |loaded_bytes, from_cache| report(Event::Progress { loaded_bytes, total_bytes, from_cache });
        let (url, entry) = &self.tokenizer;
        let tokenizer = file(url, entry, progress).await?;
        let before = entry.bytes;
        let (url, entry) = &self.weights;
        let weights = file(url, entry, |loaded, from_cache| progress(before + loaded, from_cache)).await?;
        Ok((weights, tokenizer))
    }
}

/// A file by its hash.
async fn file(url: &str, entry: &FileEntry, progress: impl Fn(u32, bool)) -> Result<Vec<u8>, FetchError> {
    if let Some(bytes) = cache::get(url, entry).await {
        progress(entry.bytes, true);
        return Ok(bytes);
    }
    let bytes = match download(url, entry, RequestCache::Default, &progress).await {
        // The browser's own cache may hold the broken copy: the second try goes past it.
        Err(FetchError::Length { .. } | FetchError::Hash { .. }) => {
            download(url, entry, RequestCache::Reload, &progress).await?
        }
        result => result?,
    };
    cache::put(url, entry, &bytes).await;
    Ok(bytes)
}

async fn download(
    url: &str,
    entry: &FileEntry,
    browser_cache: RequestCache,
    progress: &impl Fn(u32, bool),
) -> Result<Vec<u8>, FetchError> {
    let response = respond(url, browser_cache).await?;
    let network = |_: JsValue| FetchError::Network { url: url.to_owned() };
    let body = response.body().ok_or(FetchError::Network { url: url.to_owned() })?;
    let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
    let mut bytes = Vec::with_capacity(entry.bytes as usize);
    loop {
        // A connection that ends early is a short file, and is tried again like one.
        let Ok(chunk) = JsFuture::from(reader.read()).await else { break };
        if Reflect::get(&chunk, &JsValue::from_str("done")).map_err(network)?.is_truthy() {
            break;
        }
        let value = Reflect::get(&chunk, &JsValue::from_str("value")).map_err(network)?;
        bytes.extend(value.unchecked_into::<Uint8Array>().to_vec());
        progress((bytes.len() as u32).min(entry.bytes), false);
        if bytes.len() > entry.bytes as usize {
            break;
        }
    }
    let found = bytes.len() as u32;
    if found != entry.bytes {
        return Err(FetchError::Length { url: url.to_owned(), expected: entry.bytes, found });
    }
    match sha256_hex(&bytes) == entry.sha256 {
        true => Ok(bytes),
        false => Err(FetchError::Hash { url: url.to_owned() }),
    }
}

/// A file too small for progress, always asked for anew: it names the hashes of the other ones.
pub async fn small(url: &str) -> Result<Vec<u8>, FetchError> {
    let response = respond(url, RequestCache::NoCache).await?;
    let network = |_: JsValue| FetchError::Network { url: url.to_owned() };
    let buffer = JsFuture::from(response.array_buffer().map_err(network)?).await.map_err(network)?;
    Ok(Uint8Array::new(&buffer).to_vec())
}

async fn respond(url: &str, browser_cache: RequestCache) -> Result<Response, FetchError> {
    let options = RequestInit::new();
    options.set_cache(browser_cache);
    let promise = scope().fetch_with_str_and_init(url, &options);
    let response = JsFuture::from(promise).await.map_err(|_| FetchError::Network { url: url.to_owned() })?;
    let response: Response = response.unchecked_into();
    match response.ok() {
        true => Ok(response),
        false => Err(FetchError::Status { url: url.to_owned(), status: response.status() }),
    }
}
