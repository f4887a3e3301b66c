//! Resumable state of a training run: weights, optimiser, step.
//!
//! `state.json` is written last and by renaming, and names the other two files by their step: a kill at any moment
//! leaves a whole state behind.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::module::Module;
use burn::optim::ModuleOptimizer;
use moe_model::{ModelConfig, Weights};
use moe_trace::RoutingSpec;
use serde::{Deserialize, Serialize};

pub struct State {
    pub weights: Weights,
    pub optimizer: ModuleOptimizer,
    pub step: usize,
}

/// What `state.json` says about the weights beside it.
#[derive(Serialize, Deserialize)]
pub struct Description {
    pub step: usize,
    pub config: ModelConfig,
    pub routing: RoutingSpec,
}

/// The files of a step: weights, optimiser.
fn files(folder: &Path, step: usize) -> [PathBuf; 2] {
    ["weights", "optimizer"].map(|name| folder.join(format!("{name}-{step}.bpk")))
}

pub fn save(
    folder: &Path,
    weights: Weights,
    optimizer: &ModuleOptimizer,
    step: usize,
    config: &ModelConfig,
    routing: RoutingSpec,
) -> Result<()> {
    let before = describe(folder).ok().map(|description| description.step);
    let [weights_file, optimizer_file] = files(folder, step);
    weights.save_file(weights_file).map_err(|error| anyhow::anyhow!("cannot save the weights: {error}"))?;
    optimizer.save(optimizer_file).map_err(|error| anyhow::anyhow!("cannot save the optimiser: {error}"))?;
    let description = Description { step, config: config.clone(), routing };
    fs::write(folder.join("next-state.json"), serde_json::to_string_pretty(&description)?)?;
    fs::rename(folder.join("next-state.json"), folder.join("state.json"))?;
    for file in before.filter(|before| *before != step).into_iter().flat_map(|before| files(folder, before)) {
        fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
    }
    Ok(())
}

/// The state a folder holds, if it holds one.
pub fn load(folder: &Path, weights: Weights, optimizer: &ModuleOptimizer) -> Result<Option<State>> {
    if !folder.join("state.json").exists() {
        return Ok(None);
    }
    let description = describe(folder)?;
    let weights = load_weights(folder, weights)?;
    let [_, optimizer_file] = files(folder, description.step);
    let optimizer = optimizer
        .clone()
        .load(optimizer_file)
        .map_err(|error| anyhow::anyhow!("cannot read the optimiser's state: {error}"))?;
    Ok(Some(State { weights, optimizer, step: description.step }))
}

pub fn describe(folder: &Path) -> Result<Description> {
    let path = folder.join("state.json");
    let text = fs::read_to_string(&path).with_context(|| format!("no checkpoint: {} is missing", path.display()))?;
    Ok(serde_json::from_str(&text)?)
}

pub fn load_weights(folder: &Path, weights: Weights) -> Result<Weights> {
    let [weights_file, _] = files(folder, describe(folder)?.step);
    weights
        .try_load_file(weights_file)
        .map_err(|error| anyhow::anyhow!("cannot read the weights in {}: {error}", folder.display()))
}
