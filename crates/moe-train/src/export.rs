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
    #[arg(long, default_value = "runs/default")]
    pub run: PathBuf,
    /// Folder that `prepare` wrote, for the tokenizer.
    #[arg(long, default_value = "data")]
    pub data: PathBuf,
    /// Folder of the model.
    #[arg(long, default_value = "www/site/models/default")]
    pub out: PathBuf,
    /// The model's name.
    #[arg(long, default_value = "moe-3.5m")]
    pub name: String,
}

pub fn run(args: &ExportArgs) -> Result<()> {
    let description = checkpoint::describe(&args.run)?;
    let device = Device::flex();
    let weights = checkpoint::load_weights(&args.run, Weights::zeros(&description.config, &device))?;
    let weights = weights_file::to_bytes(&weights_file::named(&weights))?;
    let tokenizer = args.data.join("tokenizer.json");
    let tokenizer = fs::read(&tokenizer).with_context(|| format!("cannot read {}", tokenizer.display()))?;
    fs::create_dir_all(&args.out)?;
    let write = |file: &str, bytes: &[u8]| -> Result<FileEntry> {
        fs::write(args.out.join(file), bytes)?;
        Ok(FileEntry { file: file.to_owned(), bytes: u32::try_from(bytes.len())?, sha256: sha256_hex(bytes) })
    };
    let manifest = Manifest {
        version: MANIFEST_VERSION,
        name: args.name.clone(),
        config: description.config,
        trained_routing: description.routing,
        weights: write("weights.safetensors", &weights)?,
        tokenizer: write("tokenizer.json", &tokenizer)?,
    };
    fs::write(args.out.join("manifest.json"), serde_json::to_string_pretty(&manifest)? + "\n")?;
    println!(
        "{}: step {}, {} parameters, {} bytes of weights",
        args.out.display(),
        description.step,
        manifest.config.num_parameters(),
        manifest.weights.bytes,
    );
    Ok(())
}
