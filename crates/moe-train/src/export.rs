//! From a checkpoint to a model's folder: 8-bit weights, tokenizer, manifest with hashes.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use burn::tensor::Device;
use clap::Args;
use moe_model::manifest::{FileEntry, MANIFEST_VERSION, sha256_hex};
use moe_model::{Manifest, Weights, checkpoint as weights_file};

use crate::train::checkpoint;

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
}

pub fn run(args: &ExportArgs) -> Result<()> {
    let state = checkpoint::expect_state(&args.run)?;
    let (config, out) = (state.config(), args.out.join(&state.run.name));
    let weights = checkpoint::load_weights(&args.run, state.step, Weights::zeros(&config, &Device::flex()))?;
    let weights = weights_file::to_bytes(&weights_file::named(&weights))?;
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
        config,
        trained_routing: state.run.routing()?,
        weights: write("weights.safetensors", &weights)?,
        tokenizer: write("tokenizer.json", &tokenizer)?,
    };
    fs::write(out.join("manifest.json"), serde_json::to_string_pretty(&manifest)? + "\n")?;
    println!(
        "{}: step {}, {} parameters, {} bytes of weights",
        out.display(),
        state.step,
        manifest.config.num_parameters(),
        manifest.weights.bytes,
    );
    Ok(())
}
