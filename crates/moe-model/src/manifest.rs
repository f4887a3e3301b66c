//! `manifest.json` of a model's folder: what to fetch, how to know that it arrived whole, and what it is.

use moe_router::rules;
use moe_trace::{ModelInfo, RoutingSpec};
use serde::{Deserialize, Serialize};

use crate::architecture::Architecture;
use crate::config::ModelConfig;

/// Version of the manifest this crate writes and reads.
pub const MANIFEST_VERSION: u32 = 1;

/// A model's folder: names, sizes and hashes of its files, sizes of the network, the routing it was trained with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub version: u32,
    pub name: String,
    /// What it is, in a few words.
    #[serde(default)]
    pub title: String,
    /// Whose names the weights have; ours where nothing is said.
    #[serde(default)]
    pub architecture: Architecture,
    pub config: ModelConfig,
    pub trained_routing: RoutingSpec,
    pub weights: FileEntry,
    pub tokenizer: FileEntry,
    /// Gates and choices along the training run, for models that have a history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<FileEntry>,
}

/// A file beside the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Relative to the manifest.
    pub file: String,
    pub bytes: u32,
    /// Lower-case hexadecimal.
    pub sha256: String,
}

/// A manifest that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("manifest.json cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    #[error("manifest.json has version {found}; this build reads version {MANIFEST_VERSION}")]
    Version { found: u32 },
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
}

impl Manifest {
    pub fn from_json(json: &[u8]) -> Result<Manifest, ManifestError> {
        let manifest: Manifest = serde_json::from_slice(json)?;
        if manifest.version != MANIFEST_VERSION {
            return Err(ManifestError::Version { found: manifest.version });
        }
        manifest.config.check()?;
        Ok(manifest)
    }

    /// What a reader is told about the model.
    pub fn info(&self) -> ModelInfo {
        let k = rules::facts(&self.trained_routing.router).num_active(self.config.num_experts);
        ModelInfo {
            name: self.name.clone(),
            weights_sha256: self.weights.sha256.clone(),
            num_parameters: self.config.num_parameters() as u32,
            num_active_parameters: self.config.num_active_parameters(k) as u32,
            weights_bytes: self.weights.bytes,
            num_layers: self.config.num_layers as u32,
            num_experts: self.config.num_experts as u32,
            vocab_size: self.config.vocab_size as u32,
            max_tokens: self.config.max_tokens as u32,
            trained_routing: self.trained_routing,
        }
    }
}

/// SHA-256 in lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &[u8] = include_bytes!("../../../www/site/models/default/manifest.json");

    #[test]
    fn a_manifest_without_an_architecture_is_one_of_ours() {
        let manifest = Manifest::from_json(SHIPPED).expect("the shipped manifest");
        assert_eq!(manifest.architecture, Architecture::MoePlayground);
        let named = serde_json::to_string(&manifest).expect("a manifest is JSON");
        assert!(named.contains(r#""architecture":"moe_playground""#), "{named}");
        let foreign = named.replace("moe_playground", "olmoe");
        let error = Manifest::from_json(foreign.as_bytes()).expect_err("nobody knows these names").to_string();
        assert!(error.contains("olmoe"), "{error}");
    }

    #[test]
    fn the_hash_of_nothing() {
        assert_eq!(sha256_hex(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
