//! A loaded model with its tokenizer, ready to run requests one after another.

use std::rc::Rc;

use moe_model::manifest::sha256_hex;
use moe_model::{Device, Extent, Fused, Manifest, Tokenizer, checkpoint};
use moe_trace::{ModelInfo, UserError};

/// What a reader is told of an error of the backend, whose own words are for others.
pub(crate) const DEVICE_FAILED: &str = "The device that computes it reported an error.";

/// A model on a device.
pub struct Engine {
    pub(crate) model: Fused,
    pub(crate) tokenizer: Rc<Tokenizer>,
    info: ModelInfo,
}

/// How a model computes.
#[derive(Debug, Clone)]
pub enum Arithmetic {
    /// In f32, on a device.
    F32(Device),
    /// On the CPU, with matrices as they are stored, in 8 bits, and activations rounded to 16 bits for each product.
    Int8,
}

/// Why a model's files do not make a model.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("{file} has the hash {found}, the manifest says {expected}")]
    Hash { file: String, expected: String, found: String },
    #[error(transparent)]
    Tokenizer(#[from] moe_model::tokenizer::TokenizerError),
    #[error("the tokenizer has {found} tokens, the model {expected}")]
    Vocabulary { expected: usize, found: usize },
    #[error(transparent)]
    Checkpoint(#[from] checkpoint::CheckpointError),
    #[error(transparent)]
    Device(#[from] moe_model::TensorError),
}

impl From<LoadError> for UserError {
    fn from(error: LoadError) -> UserError {
        let what = "The model could not be loaded.";
        match error {
            LoadError::Device(error) => {
                let try_this = "Reload the page; with backend=\"cpu\" it needs no graphics device.";
                UserError::new(what, DEVICE_FAILED, try_this).with_details(error)
            }
            error => {
                let try_this = "Reload the page to fetch the model again; the recorded run works without it.";
                UserError::new(what, format!("{error}."), try_this)
            }
        }
    }
}

impl Engine {
    /// Checks the files against the manifest and makes the model ready.
    pub async fn load(
        manifest: &Manifest,
        weights: &[u8],
        tokenizer: &[u8],
        arithmetic: &Arithmetic,
    ) -> Result<Engine, LoadError> {
        for (entry, bytes) in [(&manifest.weights, weights), (&manifest.tokenizer, tokenizer)] {
            let found = sha256_hex(bytes);
            if found != entry.sha256 {
                return Err(LoadError::Hash { file: entry.file.clone(), expected: entry.sha256.clone(), found });
            }
        }
        let tokenizer = Tokenizer::from_json(tokenizer)?;
        let (expected, found) = (manifest.config.vocab_size, tokenizer.vocab_size());
        if found != expected {
            return Err(LoadError::Vocabulary { expected, found });
        }
        let Manifest { architecture, config, .. } = manifest;
        let model = match arithmetic {
            Arithmetic::F32(device) => {
                let weights = checkpoint::from_bytes(weights, *architecture, config, device)?;
                Fused::new(config.clone(), weights, device).await?
            }
            Arithmetic::Int8 => {
                Fused::packed(config.clone(), checkpoint::packed_from_bytes(weights, *architecture, config)?).await?
            }
        };
        Ok(Engine { model, tokenizer: Rc::new(tokenizer), info: manifest.info() })
    }

    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// Sets how much of a text is computed at each step of a run with the group `this text`: to measure, or to compare.
    pub fn set_extent(&mut self, extent: Extent) {
        self.model.set_extent(extent);
    }

    /// Counts tokens as the model does, beside whatever the engine works on.
    pub fn counter(&self) -> Counter {
        Counter(self.tokenizer.clone())
    }
}

/// A model's tokenizer, for counting.
#[derive(Clone)]
pub struct Counter(Rc<Tokenizer>);

impl Counter {
    /// The tokens of a text.
    pub fn count(&self, text: &str) -> u32 {
        self.0.encode(text).len() as u32
    }
}
