//! Fetching a model's files: byte-exact progress, hash check, one retry of what arrived cut or corrupt; and keeping them.

mod arrived;
pub mod error;

use std::cell::Cell;

use futures_util::future::try_join;
use js_sys::{Reflect, Uint8Array};
use moe_engine::Manifest;
use moe_engine::manifest::{FileEntry, ManifestError, sha256_hex};
use moe_trace::{Download, Event};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStreamDefaultReader, RequestCache, RequestInit, Response, Url};

use crate::cache::Cache;
use arrived::instead;
use error::{FetchError, Why};
use moe_mailbox::scope;

/// A manifest has a few thousand bytes; of what claims to be one no more is read.
const MANIFEST_BYTES: u32 = 1 << 20;

/// The files of a model and where they are.
pub struct Files {
    weights: (String, FileEntry),
    tokenizer: (String, FileEntry),
    /// Fetched when somebody asks for it.
    history: Option<(String, FileEntry)>,
}

impl Files {
    /// `manifest_url`: absolute. What it has for a query, such as a signature or a version, holds for the files beside
    /// it too, unless they have their own.
    pub fn new(manifest_url: &str, manifest: &Manifest) -> Result<Files, FetchError> {
        let query = Url::new(manifest_url).map(|url| url.search()).unwrap_or_default();
        let resolve = |entry: &FileEntry| match Url::new_with_base(&entry.file, manifest_url) {
            Ok(url) => {
                if url.search().is_empty() {
                    url.set_search(&query);
                }
                Ok((url.href(), entry.clone()))
            }
            Err(_) => Err(Why::Address.of(&entry.file)),
        };
        let history = manifest.history.as_ref().map(resolve).transpose()?;
        Ok(Files { weights: resolve(&manifest.weights)?, tokenizer: resolve(&manifest.tokenizer)?, history })
    }

    /// The bytes of weights and tokenizer, from the cache or the network, both at once: on a slow line each would wait for
    /// the other. Progress counts both together.
    pub async fn get(&self, cache: &Cache, report: impl Fn(Event)) -> Result<Arrived, FetchError> {
        let total_bytes = self.weights.1.bytes + self.tokenizer.1.bytes;
        let clock = scope().performance();
        let of_each = [Cell::new(0), Cell::new(0)];
        let progress = |which: usize, loaded_bytes, from_cache| {
            of_each[which].set(loaded_bytes);
            let loaded_bytes = of_each.iter().map(Cell::get).sum();
            let at_ms = clock.as_ref().map_or(0.0, |clock| clock.now()) as f32;
            report(Event::Progress { part: Download::Model, loaded_bytes, total_bytes, from_cache, at_ms });
        };
        let one = async |which: usize, (url, entry): &(String, FileEntry)| {
            file(url, entry, cache, |loaded_bytes, from_cache| progress(which, loaded_bytes, from_cache)).await
        };
        let both = try_join(one(0, &self.tokenizer), one(1, &self.weights));
        let ((tokenizer, has_tokenizer), (weights, has_weights)) = both.await?;
        Ok(Arrived { weights, tokenizer, has_tokenizer, has_weights })
    }

    /// The moments of the training, where the model has them.
    pub fn history(&self) -> Option<OnDemand> {
        let (url, entry) = self.history.clone()?;
        Some(OnDemand { url, entry, bytes: None })
    }

    /// Keeps what the cache lacks.
    async fn keep(&self, arrived: &Arrived, cache: &Cache) {
        if !arrived.has_tokenizer {
            cache.keep_file(&self.tokenizer.0, &self.tokenizer.1, &arrived.tokenizer).await;
        }
        if !arrived.has_weights {
            cache.keep_file(&self.weights.0, &self.weights.1, &arrived.weights).await;
        }
    }
}

/// A file of a model that is fetched when somebody asks for it, and kept then.
pub struct OnDemand {
    url: String,
    entry: FileEntry,
    bytes: Option<Vec<u8>>,
}

impl OnDemand {
    /// Its bytes, from the cache or the network the first time. Progress is told so that nobody takes it for silence.
    pub async fn get(&mut self, report: impl Fn(Event)) -> Result<&[u8], FetchError> {
        if self.bytes.is_none() {
            let cache = Cache::open().await;
            let total_bytes = self.entry.bytes;
            let progress = |loaded_bytes, from_cache| {
                let at_ms = moe_mailbox::now_ms() as f32;
                report(Event::Progress { part: Download::Model, loaded_bytes, total_bytes, from_cache, at_ms });
            };
            let (bytes, is_kept) = file(&self.url, &self.entry, &cache, progress).await?;
            if !is_kept {
                cache.keep_file(&self.url, &self.entry, &bytes).await;
            }
            self.bytes = Some(bytes);
        }
        Ok(self.bytes.as_deref().unwrap_or_default())
    }
}

/// The files of a model, and which of them the cache has already.
pub struct Arrived {
    pub weights: Vec<u8>,
    pub tokenizer: Vec<u8>,
    has_tokenizer: bool,
    has_weights: bool,
}

/// Keeps for the next visit what was loaded, with the manifest that names it, and drops what no manifest names any more.
pub async fn keep(cache: &Cache, manifest_url: &str, manifest: &[u8], files: &Files, arrived: &Arrived) -> Event {
    files.keep(arrived, cache).await;
    if cache.why_not().is_none() {
        cache.keep_manifest(manifest_url, manifest).await;
    }
    let manifests = cache.manifests().await;
    let read = |(url, json): &(String, Vec<u8>)| Files::new(url, &Manifest::from_json(json).ok()?).ok();
    let models: Vec<Files> = manifests.iter().filter_map(read).collect();
    let needed = models.iter().flat_map(|files| [&files.weights, &files.tokenizer].into_iter().chain(&files.history));
    let needed: Vec<(&str, &FileEntry)> = needed.map(|(url, entry)| (url.as_str(), entry)).collect();
    let bytes = cache.keep_only(&needed).await;
    Event::Kept { bytes, why_not: cache.why_not() }
}

/// A file by its hash. Was it in the cache?
async fn file(
    url: &str,
    entry: &FileEntry,
    cache: &Cache,
    progress: impl Fn(u32, bool),
) -> Result<(Vec<u8>, bool), FetchError> {
    if let Some(bytes) = cache.file(url, entry).await {
        progress(entry.bytes, true);
        return Ok((bytes, true));
    }
    let bytes = match download(url, entry, RequestCache::Default, &progress).await {
        Err(error) if error.may_be_cached() => download(url, entry, RequestCache::Reload, &progress).await?,
        result => result?,
    };
    Ok((bytes, false))
}

async fn download(
    url: &str,
    entry: &FileEntry,
    browser_cache: RequestCache,
    progress: &impl Fn(u32, bool),
) -> Result<Vec<u8>, FetchError> {
    let response = respond(url, browser_cache).await?;
    let bytes = body(&response, url, entry.bytes, progress).await?;
    if let Some(what) = instead(&bytes) {
        return Err(Why::Instead(what).of(url));
    }
    let found = bytes.len() as u32;
    if found != entry.bytes {
        return Err(Why::Length { expected: entry.bytes, found }.of(url));
    }
    match sha256_hex(&bytes) == entry.sha256 {
        true => Ok(bytes),
        false => Err(Why::Hash.of(url)),
    }
}

/// The manifest, read, and its bytes. It is always asked for anew, since it names the hashes of the other files; where
/// nothing usable came, as without a network or from a host in trouble, it is the one of the last visit.
pub async fn manifest(url: &str, cache: &Cache) -> Result<(Manifest, Vec<u8>), ManifestFailure> {
    let failure = match fresh_manifest(url).await {
        Ok(json) => match Manifest::from_json(&json) {
            Ok(manifest) => return Ok((manifest, json)),
            Err(error) => ManifestFailure::Described(error),
        },
        Err(error) => ManifestFailure::Fetched(error),
    };
    if !failure.may_pass() {
        return Err(failure);
    }
    let kept = cache.manifest(url).await;
    let kept = kept.and_then(|json| Some((Manifest::from_json(&json).ok()?, json)));
    kept.ok_or(failure)
}

/// Why there is no manifest.
pub enum ManifestFailure {
    Fetched(FetchError),
    Described(ManifestError),
}

impl ManifestFailure {
    /// Does it say nothing of the model? A host that has no such file any more, or does not give it out, is believed, and
    /// so is a manifest that is one, whatever is wrong with it.
    fn may_pass(&self) -> bool {
        match self {
            ManifestFailure::Fetched(error) => error.may_pass(),
            ManifestFailure::Described(error) => matches!(error, ManifestError::Unreadable(_)),
        }
    }
}

async fn fresh_manifest(url: &str) -> Result<Vec<u8>, FetchError> {
    let response = respond(url, RequestCache::NoCache).await?;
    let bytes = body(&response, url, MANIFEST_BYTES, &|_, _| {}).await?;
    match instead(&bytes) {
        Some(what) => Err(Why::Instead(what).of(url)),
        None if bytes.len() > MANIFEST_BYTES as usize => Err(Why::TooLarge { max_bytes: MANIFEST_BYTES }.of(url)),
        None => Ok(bytes),
    }
}

/// The bytes of an answer, as far as they come: a connection that ends early gives a short file, and one that goes on
/// behind `max_bytes` is given up there.
async fn body(
    response: &Response,
    url: &str,
    max_bytes: u32,
    progress: &impl Fn(u32, bool),
) -> Result<Vec<u8>, FetchError> {
    let network = |_: JsValue| Why::Network.of(url);
    let body = response.body().ok_or_else(|| Why::Network.of(url))?;
    let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
    let mut bytes = Vec::new();
    while let Ok(chunk) = JsFuture::from(reader.read()).await {
        if Reflect::get(&chunk, &JsValue::from_str("done")).map_err(network)?.is_truthy() {
            break;
        }
        let value = Reflect::get(&chunk, &JsValue::from_str("value")).map_err(network)?;
        bytes.extend(value.unchecked_into::<Uint8Array>().to_vec());
        progress((bytes.len() as u32).min(max_bytes), false);
        if bytes.len() > max_bytes as usize {
            // Nobody waits for the end of it.
            let _ = reader.cancel();
            break;
        }
    }
    Ok(bytes)
}

async fn respond(url: &str, browser_cache: RequestCache) -> Result<Response, FetchError> {
    let options = RequestInit::new();
    options.set_cache(browser_cache);
    let promise = scope().fetch_with_str_and_init(url, &options);
    let response = JsFuture::from(promise).await.map_err(|_| Why::Network.of(url))?;
    let response: Response = response.unchecked_into();
    match response.ok() {
        true => Ok(response),
        false => Err(Why::Status(response.status()).of(url)),
    }
}
