//! Bits per byte of an exported model on the held-out text, and what its experts do there.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use moe_model::{Manifest, Weights, checkpoint, reference};
use moe_router::Router;
use moe_trace::{Overflow, RoutingSpec};

use crate::train::data::{Batch, Corpus, Domain};
use crate::train::device::DeviceChoice;
use crate::train::{burn_block_on, draws_at_inference, loss};

#[derive(Args, Debug, Clone)]
pub struct EvaluateArgs {
    /// Folder of the model.
    #[arg(long, default_value = "www/site/models/default")]
    pub model: PathBuf,
    /// Folder that `prepare` wrote.
    #[arg(long, default_value = "data")]
    pub data: PathBuf,
    #[arg(long, default_value = "cpu")]
    pub device: DeviceChoice,
    /// Windows computed at once.
    #[arg(long, default_value_t = 16)]
    pub batch: usize,
}

/// Scores the second half of every window of the model's full length, so that each token has at least half a window
/// before it (but for the first ones of a text). A tail shorter than half a window is left out. Windows are routing
/// groups, as in training; requests are counted in all windows, which overlap.
pub fn run(args: &EvaluateArgs) -> Result<()> {
    let manifest = fs::read(args.model.join("manifest.json")).context("no manifest.json in the model's folder")?;
    let manifest = Manifest::from_json(&manifest)?;
    let device = args.device.init()?;
    let bytes = fs::read(args.model.join(&manifest.weights.file))?;
    let weights = checkpoint::from_bytes(&bytes, &manifest.config, &device)?;
    let corpus = Corpus::open(&args.data, &Corpus::names(&args.data)?)?;
    corpus.ensure_windows_of(manifest.config.max_tokens)?;
    println!("| held-out text | bits per byte, as trained | dropless | requests lost | demand by expert, all layers |");
    println!("| --- | ---: | ---: | ---: | --- |");
    for domain in &corpus.domains {
        let trained = score(domain, &weights, &manifest, manifest.trained_routing, args)?;
        let dropless = RoutingSpec { overflow: Overflow::Dropless, ..manifest.trained_routing };
        let dropless = score(domain, &weights, &manifest, dropless, args)?;
        let demand: Vec<String> = trained.demand.iter().map(|share| format!("{:.0}", 100.0 * share)).collect();
        println!(
            "| {} | {:.3} | {:.3} | {:.1} % | {} |",
            domain.name,
            trained.bits_per_byte,
            dropless.bits_per_byte,
            100.0 * trained.lost,
            demand.join(" "),
        );
    }
    Ok(())
}

struct Score {
    bits_per_byte: f64,
    /// Share of requests that lost.
    lost: f64,
    /// Share of requests by expert, over all layers.
    demand: Vec<f64>,
}

fn score(
    domain: &Domain,
    weights: &Weights,
    manifest: &Manifest,
    routing: RoutingSpec,
    args: &EvaluateArgs,
) -> Result<Score> {
    let (num_tokens, stride) = (manifest.config.max_tokens, manifest.config.max_tokens / 2);
    let router = Router::new(routing, manifest.config.num_experts)?;
    let device = weights.embedding.val().device();
    let starts: Vec<usize> = (0..domain.valid.len() - num_tokens).step_by(stride).collect();
    let draws = draws_at_inference(routing, args.batch * num_tokens, &manifest.config);
    let (mut nats, mut scored, mut requests, mut lost) = (0.0, 0, 0, 0);
    let mut demand = vec![0; manifest.config.num_experts];
    for starts in starts.chunks(args.batch) {
        let windows = starts.iter().map(|start| &domain.valid[*start..=start + num_tokens]);
        let batch = Batch::new(windows, num_tokens);
        let (ids, targets) = batch.to_tensors(&device);
        let inputs = |layer: usize, sequence| batch.routing_inputs(&draws[layer], sequence);
        let forward = burn_block_on(reference::forward(weights, &manifest.config, ids, &router, &inputs))?;
        let losses: Vec<f32> =
            loss::cross_entropy(forward.logits, targets).into_data().try_to_vec().expect("losses are f32");
        for (losses, start) in losses.chunks_exact(num_tokens).zip(starts) {
            let from = if *start == 0 { 0 } else { stride };
            nats += losses[from..].iter().map(|loss| f64::from(*loss)).sum::<f64>();
            scored += num_tokens - from;
        }
        let all = forward.layers.iter().flat_map(|layer| &layer.routings).flat_map(|routing| &routing.assignments);
        for a in all.filter(|a| a.fate.is_demand()) {
            requests += 1;
            lost += usize::from(!a.fate.is_kept());
            demand[a.expert.index()] += 1;
        }
    }
    Ok(Score {
        bits_per_byte: nats / std::f64::consts::LN_2 / (scored as f64 * domain.valid_bytes_per_token),
        lost: lost as f64 / requests.max(1) as f64,
        demand: demand.iter().map(|count| f64::from(*count) / requests.max(1) as f64).collect(),
    })
}
