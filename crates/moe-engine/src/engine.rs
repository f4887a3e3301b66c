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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use moe_model::checkpoint::{Named, named, to_bytes};
    use moe_model::{ModelConfig, Weights, device};

    use super::*;
    use crate::self_check::tests::ready;

    /// What a reader is told of a small model with the shipped tokenizer, once it is spoilt like this. All hashes are those
    /// of the files.
    fn told(arithmetic: &Arithmetic, spoil: fn(&mut Manifest, &mut [Named])) -> Option<UserError> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../www/site/models/default");
        let read = |file: &str| std::fs::read(folder.join(file)).expect("the site has the model");
        let mut manifest = Manifest::from_json(&read("manifest.json")).expect("a manifest");
        manifest.config = ModelConfig { vocab_size: manifest.config.vocab_size, ..ModelConfig::tiny() };
        let weights = Weights::random(&manifest.config, 3, &device::cpu());
        let mut parameters = named(&weights, manifest.architecture);
        spoil(&mut manifest, &mut parameters);
        let weights = to_bytes(&parameters).expect("it can be written");
        manifest.weights.sha256 = sha256_hex(&weights);
        let loaded = ready(Engine::load(&manifest, &weights, &read("tokenizer.json"), arithmetic));
        loaded.err().map(UserError::from)
    }

    /// Puts this value in the first place of a tensor.
    fn put(parameters: &mut [Named], name: &str, value: f32) {
        let tensor = parameters.iter_mut().find(|parameter| parameter.name == name);
        tensor.expect("a tensor of this name").values[0] = value;
    }

    #[test]
    fn files_that_do_not_fit_are_named_and_no_graphics_card_is_blamed() {
        for arithmetic in [Arithmetic::F32(device::cpu()), Arithmetic::Int8] {
            assert_eq!(told(&arithmetic, |_, _| {}), None);
            let check = |spoil: fn(&mut Manifest, &mut [Named]), why: &str| {
                let UserError { why: found, try_this, details, .. } = told(&arithmetic, spoil).expect(why);
                assert_eq!((found.as_str(), details), (why, None));
                assert!(try_this.contains("fetch the model again"), "{try_this}");
                assert!(!try_this.contains("graphics") && !try_this.contains("backend"), "{try_this}");
            };
            check(|manifest, _| manifest.config.vocab_size = 1000, "the tokenizer has 1024 tokens, the model 1000.");
            check(
                |_, parameters| put(parameters, "final_norm", f32::NAN),
                "number 0 of tensor final_norm is NaN, not a finite number.",
            );
            check(
                |_, parameters| put(parameters, "blocks.1.gate", f32::INFINITY),
                "number 0 of tensor blocks.1.gate is inf, not a finite number.",
            );
            // Where one number of a block has no end, its scale has none, and none of the block's numbers is any.
            check(
                |_, parameters| put(parameters, "embedding", f32::INFINITY),
                "number 0 of tensor embedding is NaN, not a finite number.",
            );
        }
    }
}
