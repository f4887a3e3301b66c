//! How good an exported model is on the held-out text, and what its experts do there: `evaluation.json` beside it.

mod answers;
mod quantisation;
mod samples;
mod score;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use moe_model::{Tokenizer, Weights};
use moe_router::metrics;
use moe_trace::{Overflow, RoutingSpec};
use serde::{Deserialize, Serialize};

use crate::site_model::SiteModel;
use crate::train::data;
use crate::train::device::DeviceChoice;
pub use answers::Answers;
pub use quantisation::Quantisation;
pub use samples::{SEED as SAMPLE_SEED, Sample};
pub use score::Score;

/// Its name beside the manifest.
const FILE: &str = "evaluation.json";

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

/// A model with what is needed to score it.
pub struct Loaded {
    pub model: SiteModel,
    pub tokenizer: Tokenizer,
    pub weights: Weights,
}

impl Loaded {
    pub fn open(folder: &Path, device: DeviceChoice) -> Result<Loaded> {
        let model = SiteModel::open(folder)?;
        Ok(Loaded { tokenizer: model.tokenizer()?, weights: model.weights(&device.init()?)?, model })
    }
}

/// The kinds of text that all models but the tuned one are trained on.
const LANGUAGE: [&str; 6] = ["prose", "speech", "spanish", "rust", "json", "arithmetic"];

/// Means are over the language model's kinds of text.
impl Evaluation {
    /// Of a model; `None` where there is none yet.
    pub fn read(model: &SiteModel) -> Result<Option<Evaluation>> {
        model.json(FILE)
    }

    /// The language model's kinds of text.
    pub fn language(&self) -> impl Iterator<Item = &DomainEvaluation> {
        self.domains.iter().filter(|domain| LANGUAGE.contains(&domain.name.as_str()))
    }

    pub fn mean(&self, of: fn(&DomainEvaluation) -> f64) -> f64 {
        self.language().map(of).sum::<f64>() / LANGUAGE.len() as f64
    }

    /// Routed as in training.
    pub fn bits_per_byte(&self) -> f64 {
        self.mean(|domain| domain.as_trained.bits_per_byte)
    }

    /// Share of requests turned away, 0 to 1.
    pub fn lost(&self) -> f64 {
        self.mean(|domain| domain.as_trained.lost)
    }

    /// Coefficient of variation of the experts' demand, mean over the layers.
    pub fn load_cv(&self) -> f64 {
        let mut layers: Vec<Vec<u32>> = Vec::new();
        for domain in self.language() {
            layers.resize(domain.as_trained.demand.len(), Vec::new());
            for (sums, counts) in layers.iter_mut().zip(&domain.as_trained.demand) {
                sums.resize(counts.len(), 0);
                sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            }
        }
        layers.iter().map(|demand| metrics::demand_cv(demand)).sum::<f64>() / layers.len().max(1) as f64
    }
}

pub fn run(args: &EvaluateArgs) -> Result<()> {
    let corpus = data::open_all(&args.data)?;
    for name in &args.names {
        let loaded = Loaded::open(&args.models.join(name), args.device)?;
        let model = &loaded.model;
        corpus.ensure_windows_of(model.manifest.config.max_tokens)?;
        println!("{name}\n| held-out text | bits per byte, as trained | dropless | requests lost |");
        println!("| --- | ---: | ---: | ---: |");
        let mut domains = Vec::new();
        for domain in &corpus.domains {
            let trained = model.manifest.trained_routing;
            let as_trained = score::score(domain, &loaded, trained, args.windows)?;
            let dropless = RoutingSpec { overflow: Overflow::Dropless, ..trained };
            let dropless_bits_per_byte = if dropless == trained {
                as_trained.bits_per_byte
            } else {
                score::score(domain, &loaded, dropless, args.windows)?.bits_per_byte
            };
            let (bits, lost) = (as_trained.bits_per_byte, 100.0 * as_trained.lost);
            println!("| {} | {bits:.3} | {dropless_bits_per_byte:.3} | {lost:.1} % |", domain.name);
            domains.push(DomainEvaluation { name: domain.name.clone(), as_trained, dropless_bits_per_byte });
        }
        let arithmetic = answers::arithmetic(model, &args.data)?;
        println!("arithmetic: {} of {} answers are right", arithmetic.right, arithmetic.asked);
        let quantisation = quantisation::compare(&loaded, &args.runs.join(name), &corpus)?;
        if let Some(Quantisation { bits_per_byte, changed_routes }) = quantisation {
            println!("8 bits: {bits_per_byte:+.5} bits per byte, {:.3} % of routes changed", 100.0 * changed_routes);
        }
        let weights_sha256 = model.manifest.weights.sha256.clone();
        let samples = samples::of(model)?;
        let windows = args.windows;
        let evaluation = Evaluation { weights_sha256, windows, domains, arithmetic, samples, quantisation };
        fs::write(model.folder.join(FILE), serde_json::to_string_pretty(&evaluation)? + "\n")?;
    }
    Ok(())
}
