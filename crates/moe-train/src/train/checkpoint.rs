//! Resumable state of a training run: weights, optimiser, step.
//!
//! `state.json` is written last and by renaming, and names the other two files by their step: a kill at any moment
//! leaves a whole state behind.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use burn::module::Module;
use burn::optim::ModuleOptimizer;
use moe_model::architecture::{Architecture, Filed};
use moe_model::manifest::sha256_hex;
use moe_model::{ModelConfig, Weights};
use serde::{Deserialize, Serialize};

use super::log::Sums;
use super::run_file::RunFile;

/// What `state.json` says about the weights beside it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SavedState {
    pub step: usize,
    pub vocab_size: usize,
    pub run: RunFile,
    /// SHA-256 of the weights it began with, if it began with another run's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_from: Option<String>,
    /// Since the last row of the log.
    pub sums: Sums,
    /// Wall time of all sittings, validation included.
    pub minutes: f64,
}

impl SavedState {
    pub fn config(&self) -> ModelConfig {
        self.run.config(self.vocab_size)
    }
}

/// Under the names that our files have always had.
fn filed(weights: Weights) -> Filed {
    Filed { weights, architecture: Architecture::MoePlayground }
}

/// The files of a step: weights, optimiser.
fn files(folder: &Path, step: usize) -> [PathBuf; 2] {
    ["weights", "optimizer"].map(|name| folder.join(format!("{name}-{step}.bpk")))
}

pub fn save(folder: &Path, state: &SavedState, weights: Weights, optimizer: &ModuleOptimizer) -> Result<()> {
    let before = read_state(folder)?.map(|state| state.step);
    let [weights_file, optimizer_file] = files(folder, state.step);
    filed(weights).save_file(weights_file).map_err(|error| anyhow!("cannot save the weights: {error}"))?;
    optimizer.save(optimizer_file).map_err(|error| anyhow!("cannot save the optimiser: {error}"))?;
    replace(&folder.join("state.json"), &serde_json::to_string_pretty(state)?)?;
    for file in before.filter(|before| *before != state.step).into_iter().flat_map(|before| files(folder, before)) {
        fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
    }
    Ok(())
}

/// Writes a file such that a kill at any moment leaves the old one or the new one behind.
pub fn replace(path: &Path, text: &str) -> Result<()> {
    let next = path.with_extension("next");
    fs::write(&next, text).with_context(|| format!("cannot write {}", next.display()))?;
    fs::rename(&next, path).with_context(|| format!("cannot write {}", path.display()))
}

/// The state a folder holds, if it holds one.
pub fn read_state(folder: &Path) -> Result<Option<SavedState>> {
    let path = folder.join("state.json");
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let state = serde_json::from_str(&text);
    Ok(Some(state.with_context(|| format!("{} is not of this version; train into another folder", path.display()))?))
}

/// The state of a folder that must hold one.
pub fn expect_state(folder: &Path) -> Result<SavedState> {
    read_state(folder)?.with_context(|| format!("no checkpoint in {}; train first", folder.display()))
}

/// The weights of a checkpoint. `form`: weights of the same sizes, on the device to load to.
pub fn load_weights(folder: &Path, step: usize, form: Weights) -> Result<Weights> {
    let [weights_file, _] = files(folder, step);
    let loaded = filed(form).try_load_file(weights_file);
    let loaded = loaded.map_err(|error| anyhow!("cannot read the weights in {}: {error}", folder.display()))?;
    Ok(loaded.weights)
}

/// SHA-256 of a checkpoint's weights.
pub fn weights_sha256(folder: &Path, step: usize) -> Result<String> {
    let [weights_file, _] = files(folder, step);
    let bytes = fs::read(&weights_file).with_context(|| format!("cannot read {}", weights_file.display()))?;
    Ok(sha256_hex(&bytes))
}

pub fn load_optimizer(folder: &Path, step: usize, optimizer: &ModuleOptimizer) -> Result<ModuleOptimizer> {
    let [_, optimizer_file] = files(folder, step);
    let optimizer = optimizer.clone().load(optimizer_file);
    optimizer.map_err(|error| anyhow!("cannot read the optimiser in {}: {error}", folder.display()))
}
