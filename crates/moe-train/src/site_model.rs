//! A model of the site: its folder, and every file in it, read when asked for.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::tensor::Device;
use moe_engine::{Arithmetic, Engine, device};
use moe_model::history::{self, Moment};
use moe_model::{Manifest, Tokenizer, Weights, checkpoint};
use serde::de::DeserializeOwned;

use crate::train::run_file::RunFile;

/// To have one is to have read its manifest.
pub struct SiteModel {
    pub folder: PathBuf,
    pub manifest: Manifest,
}

impl SiteModel {
    pub fn open(folder: &Path) -> Result<SiteModel> {
        let path = folder.join("manifest.json");
        let json = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let manifest = Manifest::from_json(&json).with_context(|| format!("in {}", path.display()))?;
        Ok(SiteModel { folder: folder.to_owned(), manifest })
    }

    /// The models in a folder of models, in the order of the menu; those without a place in it come behind, by name.
    pub fn all_in(models: &Path) -> Result<Vec<SiteModel>> {
        let entries = fs::read_dir(models).with_context(|| format!("there is no folder {}", models.display()))?;
        let mut found = Vec::new();
        for entry in entries {
            let folder = entry?.path();
            if folder.join("manifest.json").is_file() {
                let model = SiteModel::open(&folder)?;
                found.push((model.run()?, model));
            }
        }
        found.sort_by(|(a, _), (b, _)| a.menu_key().cmp(&b.menu_key()));
        Ok(found.into_iter().map(|(_, model)| model).collect())
    }

    pub fn name(&self) -> &str {
        &self.manifest.name
    }

    /// The folder's own name.
    pub fn folder_name(&self) -> String {
        self.folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    pub fn weights(&self, device: &Device) -> Result<Weights> {
        let Manifest { architecture, config, weights, .. } = &self.manifest;
        let weights = checkpoint::from_bytes(&self.bytes(&weights.file)?, *architecture, config, device);
        weights.with_context(|| format!("in {}", self.folder.display()))
    }

    pub fn tokenizer(&self) -> Result<Tokenizer> {
        Ok(Tokenizer::from_json(&self.bytes(&self.manifest.tokenizer.file)?)?)
    }

    /// An engine on the CPU, in f32.
    pub fn engine(&self) -> Result<Engine> {
        self.engine_by(&Arithmetic::F32(device::cpu()))
    }

    pub fn engine_by(&self, arithmetic: &Arithmetic) -> Result<Engine> {
        let (weights, tokenizer) =
            (self.bytes(&self.manifest.weights.file)?, self.bytes(&self.manifest.tokenizer.file)?);
        Ok(pollster::block_on(Engine::load(&self.manifest, &weights, &tokenizer, arithmetic))?)
    }

    /// The file it was trained by.
    pub fn run(&self) -> Result<RunFile> {
        RunFile::read(&self.folder.join("run.toml"))
    }

    /// What was kept along its training, if anything was.
    pub fn moments(&self) -> Result<Option<Vec<Moment>>> {
        if !self.has(history::FILE) {
            return Ok(None);
        }
        let moments = history::from_bytes(&self.bytes(history::FILE)?);
        Ok(Some(moments.with_context(|| format!("in {}", self.folder.display()))?))
    }

    pub fn has(&self, file: &str) -> bool {
        self.folder.join(file).exists()
    }

    pub fn bytes(&self, file: &str) -> Result<Vec<u8>> {
        let path = self.folder.join(file);
        fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    pub fn text(&self, file: &str) -> Result<String> {
        let path = self.folder.join(file);
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    /// A JSON file beside the manifest, if it is there.
    pub fn json<T: DeserializeOwned>(&self, file: &str) -> Result<Option<T>> {
        if !self.has(file) {
            return Ok(None);
        }
        let value = serde_json::from_str(&self.text(file)?);
        Ok(Some(value.with_context(|| format!("in {}", self.folder.join(file).display()))?))
    }
}
