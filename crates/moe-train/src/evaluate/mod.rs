//! How good an exported model is on the held-out text, and what its experts do there: `evaluation.json` beside it.

mod answers;
mod quantisation;
mod samples;
mod score;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use moe_model::tokenizer::Tokenizer;
use moe_model::{Manifest, Weights, checkpoint};
use moe_trace::{Overflow, RoutingSpec};
use serde::{Deserialize, Serialize};

use crate::train::data::Corpus;
use crate::train::device::DeviceChoice;
pub use answers::Answers;
pub use quantisation::Quantisation;
pub use samples::{SEED as SAMPLE_SEED, Sample};
pub use score::Score;

#[derive(Args, Debug, Clone)]
pub struct EvaluateArgs {
    /// Names of models.
    #[arg(default_value = "default")]
    pub names: Vec<String>,
    /// Folder of all models.
    #[arg(long, default_value = "www/site/models")]
    pub models: PathBuf,
    /// Folder that `prepare` wrote.
    #[arg(long, default_value = "data")]
    pub data: PathBuf,
    /// Folder of all runs, to compare the 8-bit weights with what was trained; left out where there is no such run.
    #[arg(long, default_value = "runs")]
    pub runs: PathBuf,
    /// Windows of each domain, evenly spread; all of the text without.
    #[arg(long)]
    pub windows: Option<usize>,
    #[arg(long, default_value = "cpu")]
    pub device: DeviceChoice,
}

/// What `evaluation.json` says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Of the weights that were evaluated, SHA-256.
    pub weights_sha256: String,
    /// Windows of each domain; none for all of the text.
    pub windows: Option<usize>,
    pub domains: Vec<DomainEvaluation>,
    /// Lines of arithmetic, greedily continued.
    pub arithmetic: Answers,
    /// What it writes.
    pub samples: Vec<Sample>,
    /// Absent where the trained weights were not at hand.
    pub quantisation: Option<Quantisation>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DomainEvaluation {
    pub name: String,
    /// Routed as in training: experts turn requests away where they did then.
    pub as_trained: Score,
    /// The same rule, and nobody is turned away.
    pub dropless_bits_per_byte: f64,
}

/// A model of the site with what is needed to run it.
pub struct Loaded {
    pub folder: PathBuf,
    pub manifest: Manifest,
    pub tokenizer: Tokenizer,
    pub weights: Weights,
}

impl Loaded {
    pub fn open(folder: &Path, device: DeviceChoice) -> Result<Loaded> {
        let read = |file: &str| {
            let path = folder.join(file);
            fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        let manifest = Manifest::from_json(&read("manifest.json")?)?;
        let weights = checkpoint::from_bytes(&read(&manifest.weights.file)?, &manifest.config, &device.init()?)?;
        let tokenizer = Tokenizer::from_json(&read(&manifest.tokenizer.file)?)?;
        Ok(Loaded { folder: folder.to_owned(), manifest, tokenizer, weights })
    }
}

pub fn run(args: &EvaluateArgs) -> Result<()> {
    let corpus = Corpus::open(&args.data, &Corpus::names(&args.data)?)?;
    for name in &args.names {
        let model = Loaded::open(&args.models.join(name), args.device)?;
        corpus.ensure_windows_of(model.manifest.config.max_tokens)?;
        println!("{name}\n| held-out text | bits per byte, as trained | dropless | requests lost |");
        println!("| --- | ---: | ---: | ---: |");
        let mut domains = Vec::new();
        for domain in &corpus.domains {
            let trained = model.manifest.trained_routing;
            let as_trained = score::score(domain, &model, trained, args.windows)?;
            let dropless = RoutingSpec { overflow: Overflow::Dropless, ..trained };
            let dropless_bits_per_byte = if dropless == trained {
                as_trained.bits_per_byte
            } else {
                score::score(domain, &model, dropless, args.windows)?.bits_per_byte
            };
            let (bits, lost) = (as_trained.bits_per_byte, 100.0 * as_trained.lost);
            println!("| {} | {bits:.3} | {dropless_bits_per_byte:.3} | {lost:.1} % |", domain.name);
            domains.push(DomainEvaluation { name: domain.name.clone(), as_trained, dropless_bits_per_byte });
        }
        let arithmetic = answers::arithmetic(&model.folder, &args.data)?;
        println!("arithmetic: {} of {} answers are right", arithmetic.right, arithmetic.asked);
        let quantisation = quantisation::compare(&model, &args.runs.join(name), &corpus)?;
        if let Some(Quantisation { bits_per_byte, changed_routes }) = quantisation {
            println!("8 bits: {bits_per_byte:+.5} bits per byte, {:.3} % of routes changed", 100.0 * changed_routes);
        }
        let weights_sha256 = model.manifest.weights.sha256.clone();
        let samples = samples::of(&model.folder)?;
        let windows = args.windows;
        let evaluation = Evaluation { weights_sha256, windows, domains, arithmetic, samples, quantisation };
        fs::write(model.folder.join("evaluation.json"), serde_json::to_string_pretty(&evaluation)? + "\n")?;
    }
    Ok(())
}
