//! `manifest.json` of a model's folder: what to fetch, how to know that it arrived whole, and what it is.

use moe_router::{Router, rules};
use moe_trace::limits::NAME_BYTES;
use moe_trace::{ModelInfo, Place, RoutingSpec, Wrong, check_model};
use serde::{Deserialize, Serialize};

use crate::architecture::Architecture;
use crate::config::ModelConfig;

/// Version of the manifest this crate writes and reads.
pub const MANIFEST_VERSION: u32 = 1;

/// The byte order mark, which some editors put before a text.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// All of a file is in memory at once.
const MAX_FILE_BYTES: u64 = 1 << 30;

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
    /// Tokens it learned from, those of the model it began with among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training_tokens: Option<u32>,
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
    #[error(transparent)]
    Field(#[from] Wrong),
    #[error("trained_routing cannot be: {0}")]
    Routing(String),
}

impl Manifest {
    pub fn from_json(json: &[u8]) -> Result<Manifest, ManifestError> {
        let manifest: Manifest = serde_json::from_slice(json.strip_prefix(MARK).unwrap_or(json))?;
        if manifest.version != MANIFEST_VERSION {
            return Err(ManifestError::Version { found: manifest.version });
        }
        manifest.config.check()?;
        // The parts of it that only the router knows.
        let router = Router::new(manifest.trained_routing, manifest.config.num_experts);
        router.map_err(|error| ManifestError::Routing(error.to_string()))?;
        check_model(&manifest.info())?;
        manifest.files_fit()?;
        Ok(manifest)
    }

    /// Are there so many bytes as a model of this size has, and names and hashes that can be?
    fn files_fit(&self) -> Result<(), Wrong> {
        let at = Place::HEAD;
        at.at_most(format_args!("the length of title"), self.title.len() as u64, "the format", NAME_BYTES)?;
        let files = [
            ("weights", Some(&self.weights)),
            ("tokenizer", Some(&self.tokenizer)),
            ("history", self.history.as_ref()),
        ];
        for (name, FileEntry { file, bytes, sha256 }) in
            files.into_iter().filter_map(|(name, file)| Some((name, file?)))
        {
            at.count(format_args!("the length of {name}.file"), file.len() as u64, NAME_BYTES)?;
            at.equal(format_args!("the length of {name}.sha256"), sha256.len() as u64, "that of a SHA-256", 64)?;
            if !sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
                let why = format_args!(", not a number in lower-case hexadecimal");
                return Err(at.wrong(format_args!("{name}.sha256"), sha256, why));
            }
            at.count(format_args!("{name}.bytes"), (*bytes).into(), MAX_FILE_BYTES)?;
        }
        // Of a parameter a byte at least, in f32 four, and names.
        let (bytes, parameters) = (u64::from(self.weights.bytes), self.config.num_parameters() as u64);
        at.at_most(format_args!("the number of parameters"), parameters, "weights.bytes", bytes)?;
        at.at_most(format_args!("weights.bytes"), bytes, "the number of parameters", 5 * parameters + (1 << 20))
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
            num_shared_experts: self.config.num_shared_experts as u32,
            vocab_size: self.config.vocab_size as u32,
            max_tokens: self.config.max_tokens as u32,
            training_tokens: self.training_tokens,
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
    use moe_fuzz::json::spoilt;
    use moe_fuzz::trial;
    use serde_json::{Value, json};

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

    /// Every field set to something that the others contradict.
    #[test]
    fn what_a_manifest_says_is_checked() {
        let check = |pointer: &str, value: Value, message: &str| {
            let mut manifest: Value = serde_json::from_slice(SHIPPED).expect("it is JSON");
            *manifest.pointer_mut(pointer).expect(pointer) = value;
            let error = Manifest::from_json(manifest.to_string().as_bytes()).expect_err(message).to_string();
            assert_eq!(error, message);
        };
        check("/version", json!(2), "manifest.json has version 2; this build reads version 1");
        check("/config/num_layers", json!(u32::MAX), "num_layers is 4294967295; it may be at most 1024");
        check("/config/d_expert", json!(1 << 29), "d_expert is 536870912; it may be at most 4194240");
        check(
            "/config/num_layers",
            json!(40),
            "the number of parameters is 33605760; weights.bytes allows at most 3716056",
        );
        check("/weights/bytes", json!(u32::MAX), "weights.bytes is 4294967295; the format allows at most 1073741824");
        check(
            "/weights/bytes",
            json!(100_000_000),
            "weights.bytes is 100000000; the number of parameters allows at most 18441856",
        );
        check("/weights/sha256", json!("35ED"), "the length of model.weights_sha256 is 4, and that of a SHA-256 is 64");
        check("/tokenizer/bytes", json!(0), "tokenizer.bytes is 0; it must be at least 1");
        check("/name", json!("x".repeat(257)), "the length of model.name is 257; the format allows at most 256");
        let minimum = "model.trained_routing.overflow.minimum is 4294967295; max_tokens allows at most 256";
        check("/trained_routing/overflow/minimum", json!(u32::MAX), minimum);
        for (k, of_routing) in [(0, true), (9, true), (8, false)] {
            let mut manifest: Value = serde_json::from_slice(SHIPPED).expect("it is JSON");
            manifest["trained_routing"]["router"]["k"] = json!(k);
            let read = Manifest::from_json(manifest.to_string().as_bytes());
            assert_eq!(matches!(read, Err(ManifestError::Routing(_))), of_routing, "k = {k}: {read:?}");
        }
    }

    #[test]
    fn a_byte_order_mark_and_other_line_ends_change_nothing() {
        let text = std::str::from_utf8(SHIPPED).expect("it is text");
        let read = |text: String| Manifest::from_json(text.as_bytes()).expect("the same manifest");
        let plain = read(text.to_owned());
        assert_eq!(read(format!("\u{feff}{text}")), plain);
        assert_eq!(read(text.replace('\n', "\r\n")), plain);
    }

    #[test]
    fn fuzz_manifests() {
        let manifest: Value = serde_json::from_slice(SHIPPED).expect("it is JSON");
        trial(
            "manifests",
            2000,
            |dice| spoilt(&manifest, dice),
            |bytes| {
                // What is taken can be told of, and its sizes be counted.
                Manifest::from_json(bytes).map(|manifest| manifest.info().num_parameters).is_ok()
            },
        );
    }

    #[test]
    fn the_hash_of_nothing() {
        assert_eq!(sha256_hex(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
