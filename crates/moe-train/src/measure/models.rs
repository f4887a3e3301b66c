//! The models that are measured: folders beside each other, each as the page gets it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::tensor::Device;
use moe_model::history::{self, Moment};
use moe_model::{Manifest, Weights, checkpoint};

/// The models that findings speak of, the main one first.
pub const EXPECTED: [&str; 12] = [
    "default",
    "top2",
    "unbalanced",
    "cosine",
    "switch",
    "deepseek",
    "expert-choice",
    "hash",
    "per-sequence",
    "instruct",
    "default-dense",
    "dense",
];

/// A model's folder, read.
pub struct Model {
    pub name: String,
    pub manifest: Manifest,
    pub weights: Weights,
}

impl Model {
    pub fn open(folder: &Path, device: &Device) -> Result<Model> {
        let read = |name: &str| {
            fs::read(folder.join(name)).with_context(|| format!("cannot read {name} in {}", folder.display()))
        };
        let manifest = Manifest::from_json(&read("manifest.json")?)?;
        let weights = checkpoint::from_bytes(&read(&manifest.weights.file)?, &manifest.config, device)?;
        Ok(Model { name: name_of(folder), manifest, weights })
    }

    /// Is there anything to decide?
    pub fn routes(&self) -> bool {
        self.manifest.config.num_experts > 1
    }
}

/// The folders with a model in them: the expected ones in their order, then others by name.
pub fn folders(models: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(models).with_context(|| format!("there is no folder {}", models.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.join("manifest.json").is_file() {
            found.push(path);
        }
    }
    let place = |path: &PathBuf| {
        let name = name_of(path);
        (EXPECTED.iter().position(|expected| *expected == name).unwrap_or(EXPECTED.len()), name)
    };
    found.sort_by_key(place);
    Ok(found)
}

/// The folder's own name.
pub fn name_of(folder: &Path) -> String {
    folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What was kept along the model's training, if anything was.
pub fn moments(model: &Path) -> Result<Option<Vec<Moment>>> {
    let path = model.join(history::FILE);
    if !path.exists() {
        return Ok(None);
    }
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Some(history::from_bytes(&bytes).with_context(|| format!("in {}", path.display()))?))
}
