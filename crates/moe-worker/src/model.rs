//! A model's files as they were fetched, from which engines are made.

use moe_engine::manifest::ManifestError;
use moe_engine::{Arithmetic, Engine, LoadError, Manifest, RunError};
use moe_mailbox::post;
use moe_trace::UserError;
use wasm_bindgen_futures::spawn_local;

use crate::cache::Cache;
use crate::fetch::error::FetchError;
use crate::fetch::{self, Arrived, Files, ManifestFailure, OnDemand};
use crate::mailbox::Paced;

/// Why there is no engine.
pub struct Failure {
    pub error: UserError,
    /// Must the worker be replaced?
    pub fatal: bool,
}

impl Failure {
    /// Another worker would meet the same.
    pub fn lasting(error: UserError) -> Failure {
        Failure { error, fatal: false }
    }
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Failure {
        Failure::lasting(error.into())
    }
}

impl From<LoadError> for Failure {
    /// Files that do not make a model will not make one in a fresh worker either; a device may.
    fn from(error: LoadError) -> Failure {
        let fatal = matches!(error, LoadError::Device(_));
        Failure { error: error.into(), fatal }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Failure {
        Failure { error: error.error, fatal: error.fatal }
    }
}

/// Manifest, weights and tokenizer.
pub struct Model {
    manifest_url: String,
    manifest: Manifest,
    json: Vec<u8>,
    files: Files,
    arrived: Arrived,
    cache: Cache,
}

impl Model {
    /// Fetches what the cache has not, and tells how far it has come.
    pub async fn fetch(manifest_url: &str) -> Result<Model, Failure> {
        let cache = Cache::open().await;
        let (manifest, json) = fetch::manifest(manifest_url, &cache).await.map_err(|failure| match failure {
            ManifestFailure::Fetched(error) => Failure::from(error),
            ManifestFailure::Described(error) => Failure::lasting(described(error)),
        })?;
        let files = Files::new(manifest_url, &manifest)?;
        let paced = Paced::default();
        let arrived = files.get(&cache, |progress| paced.post(&progress)).await?;
        Ok(Model { manifest_url: manifest_url.to_owned(), manifest, json, files, arrived, cache })
    }

    pub async fn engine(&self, arithmetic: &Arithmetic) -> Result<Engine, Failure> {
        let (weights, tokenizer) = (&self.arrived.weights, &self.arrived.tokenizer);
        Ok(Engine::load(&self.manifest, weights, tokenizer, arithmetic).await?)
    }

    /// The moments of its training, where it has them.
    pub fn history(&self) -> Option<OnDemand> {
        self.files.history()
    }

    /// Keeps the files for the next visit. Nobody waits for the cache, which may be slow.
    pub fn keep(self) {
        spawn_local(async move {
            let Model { manifest_url, json, files, arrived, cache, .. } = self;
            post(&fetch::keep(&cache, &manifest_url, &json, &files, &arrived).await);
        });
    }
}

/// A manifest that cannot be used. What is wrong with a field is for readers; what the reader of JSON says is a detail.
fn described(error: ManifestError) -> UserError {
    let (what, try_this) =
        ("The model's description could not be read.", "Reload the page; the recorded run works without the model.");
    match error {
        ManifestError::Unreadable(error) => {
            UserError::new(what, "manifest.json is not one, or not whole.", try_this).with_details(error)
        }
        error => UserError::new(what, format!("{error}."), try_this),
    }
}
