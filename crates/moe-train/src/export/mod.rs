//! From a checkpoint to a model's folder: 8-bit weights, tokenizer, history, manifest with hashes; and the index of all.

mod index;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use burn::tensor::Device;
use clap::Args;
use moe_model::architecture::Architecture;
use moe_model::manifest::{FileEntry, MANIFEST_VERSION, sha256_hex};
use moe_model::{Manifest, Weights, checkpoint as weights_file, history};
use serde::{Deserialize, Serialize};

use crate::site_model::SiteModel;
use crate::train::run_file::RunFile;
use crate::train::{self, checkpoint, data};

#[derive(Args, Debug, Clone)]
pub struct ExportArgs {
    /// Folder of the training run.
    #[arg(default_value = "runs/default")]
    pub run: PathBuf,
    /// Folder that `prepare` wrote, for the tokenizer.
    #[arg(long, default_value = "data")]
    pub data: PathBuf,
    /// Folder of all models; this one's has the run's name.
    #[arg(long, default_value = "www/site/models")]
    pub out: PathBuf,
    /// What it was trained on, for the card; the name of this machine's processor without.
    #[arg(long)]
    pub machine: Option<String>,
}

/// Its name beside the manifest.
const FILE: &str = "effort.json";

/// What a training run took: `effort.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effort {
    /// Wall time of all sittings, validation included.
    pub minutes: f64,
    pub machine: String,
    /// Of the weights as trained, before they became 8-bit numbers, SHA-256.
    pub trained_sha256: String,
    /// SHA-256 of the weights it began with, if it began with another run's: as trained, or as stored for the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_from: Option<String>,
}

impl Effort {
    /// Of a model; `None` where nobody wrote it down.
    pub fn read(model: &SiteModel) -> Result<Option<Effort>> {
        model.json(FILE)
    }

    /// Did it begin with the weights of this model, as trained or as stored for the page?
    pub fn began_with(&self, manifest: &Manifest, effort: &Effort) -> bool {
        let weights = [&effort.trained_sha256, &manifest.weights.sha256];
        self.started_from.as_ref().is_some_and(|first| weights.contains(&first))
    }
}

pub fn run(args: &ExportArgs) -> Result<()> {
    let state = checkpoint::expect_state(&args.run)?;
    let steps = state.run.training.steps;
    ensure!(state.step == steps, "{} is at step {} of {steps}; finish it first", args.run.display(), state.step);
    let architecture = Architecture::MoePlayground;
    let (config, out) = (state.config(), args.out.join(&state.run.name));
    let weights = checkpoint::load_weights(&args.run, state.step, Weights::zeros(&config, &Device::flex()))?;
    let weights = weights_file::to_bytes(&weights_file::named(&weights, architecture))?;
    let tokenizer = args.data.join("tokenizer.json");
    let tokenizer = fs::read(&tokenizer).with_context(|| format!("cannot read {}", tokenizer.display()))?;
    fs::create_dir_all(&out)?;
    let write = |file: &str, bytes: &[u8]| -> Result<FileEntry> {
        fs::write(out.join(file), bytes)?;
        Ok(FileEntry { file: file.to_owned(), bytes: u32::try_from(bytes.len())?, sha256: sha256_hex(bytes) })
    };
    let manifest = Manifest {
        version: MANIFEST_VERSION,
        name: state.run.name.clone(),
        title: state.run.title.clone(),
        architecture,
        config,
        trained_routing: state.run.routing()?,
        training_tokens: training_tokens(&state.run, &args.out)?,
        weights: write("weights.safetensors", &weights)?,
        tokenizer: write("tokenizer.json", &tokenizer)?,
        history: if state.run.training.history > 0 {
            let corpus = data::open(&args.data, &state.run.training.domains)?;
            let moments = train::history::read(&args.run.join("history.jsonl"))?;
            let probe = train::history::probe(&corpus, &state.config()).ids;
            Some(write(history::FILE, &history::to_bytes(&moments, &probe)?)?)
        } else {
            None
        },
    };
    fs::write(out.join("manifest.json"), serde_json::to_string_pretty(&manifest)? + "\n")?;
    fs::copy(args.run.join("log.csv"), out.join("training_log.csv")).context("the run has no log")?;
    let effort = Effort {
        minutes: state.minutes,
        machine: args.machine.clone().unwrap_or_else(processor),
        trained_sha256: checkpoint::weights_sha256(&args.run, state.step)?,
        started_from: state.started_from,
    };
    fs::write(out.join(FILE), serde_json::to_string_pretty(&effort)? + "\n")?;
    fs::write(out.join("run.toml"), toml::to_string(&state.run)?)?;
    fs::write(args.out.join("index.json"), index::of_folder(&args.out)?)?;
    println!(
        "{}: step {}, {} parameters, {} bytes of weights",
        out.display(),
        state.step,
        manifest.config.num_parameters(),
        manifest.weights.bytes,
    );
    Ok(())
}

/// Tokens that a run learned from, with those of the exported model it began with; unknown where that one's are.
fn training_tokens(run: &RunFile, models: &Path) -> Result<Option<u32>> {
    let training = &run.training;
    let own = u32::try_from(training.steps * training.sequences * training.tokens)?;
    let Some(first) = &run.start_from else { return Ok(Some(own)) };
    Ok(SiteModel::open(&models.join(first))?.manifest.training_tokens.and_then(|before| before.checked_add(own)))
}

/// One thread of what Linux calls this machine's processor.
fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    name.map_or("one CPU thread".to_owned(), |(_, name)| format!("one thread of {}", name.trim()))
}
