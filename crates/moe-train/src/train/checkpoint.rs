//! Resumable state of a training run: weights, optimiser, step. Written beside, then renamed, so a kill loses nothing.

use std::fs;
use std::path::Path;

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

const WEIGHTS: &str = "weights.bpk";
const OPTIMIZER: &str = "optimizer.bpk";

pub fn save(
    folder: &Path,
    weights: Weights,
    optimizer: &ModuleOptimizer,
    step: usize,
    config: &ModelConfig,
    routing: RoutingSpec,
) -> Result<()> {
    let temporary = |name: &str| folder.join(format!("next-{name}"));
    weights.save_file(temporary(WEIGHTS)).map_err(|error| anyhow::anyhow!("cannot save the weights: {error}"))?;
    optimizer.save(temporary(OPTIMIZER)).map_err(|error| anyhow::anyhow!("cannot save the optimiser: {error}"))?;
    fs::rename(temporary(WEIGHTS), folder.join(WEIGHTS))?;
    fs::rename(temporary(OPTIMIZER), folder.join(OPTIMIZER))?;
    let description = Description { step, config: config.clone(), routing };
    fs::write(folder.join("state.json"), serde_json::to_string_pretty(&description)?)?;
    Ok(())
}

/// The state a folder holds, if it holds one.
pub fn load(folder: &Path, weights: Weights, optimizer: &ModuleOptimizer) -> Result<Option<State>> {
    if !folder.join("state.json").exists() {
        return Ok(None);
    }
    let description = describe(folder)?;
    let weights = load_weights(folder, weights)?;
    let optimizer = optimizer
        .clone()
        .load(folder.join(OPTIMIZER))
        .map_err(|error| anyhow::anyhow!("cannot read the optimiser's state: {error}"))?;
    Ok(Some(State { weights, optimizer, step: description.step }))
}

pub fn describe(folder: &Path) -> Result<Description> {
    let path = folder.join("state.json");
    let text = fs::read_to_string(&path).with_context(|| format!("no checkpoint: {} is missing", path.display()))?;
    Ok(serde_json::from_str(&text)?)
}

pub fn load_weights(folder: &Path, weights: Weights) -> Result<Weights> {
    weights
        .try_load_file(folder.join(WEIGHTS))
        .map_err(|error| anyhow::anyhow!("cannot read the weights in {}: {error}", folder.display()))
}
