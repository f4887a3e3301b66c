//! Loss on held-out text, per domain.

use anyhow::Result;
use burn::module::Module;
use burn::tensor::Device;
use moe_model::{ModelConfig, RoutingInputs, Weights, reference};
use moe_router::Router;

use super::data::{Batch, Corpus};
use super::{TrainArgs, burn_block_on, loss};

/// Bits per byte of each domain on eight fixed windows: quick and comparable along a run. `evaluate` takes it all.
pub fn quick(
    weights: &Weights,
    config: &ModelConfig,
    corpus: &Corpus,
    router: &Router,
    device: &Device,
    args: &TrainArgs,
) -> Result<Vec<f64>> {
    let weights = weights.valid();
    let windows = 8;
    corpus
        .domains
        .iter()
        .map(|domain| {
            let stride = (domain.valid.len() - args.tokens - 1) / windows;
            let starts = (0..windows).map(|window| &domain.valid[window * stride..=window * stride + args.tokens]);
            let (ids, targets) = Batch::new(starts, args.tokens).to_tensors(device);
            let forward =
                burn_block_on(reference::forward(&weights, config, ids, router, &|_, _| RoutingInputs::default()))?;
            let nats = loss::cross_entropy(forward.logits, targets).mean().into_scalar::<f32>();
            Ok(f64::from(nats) / std::f64::consts::LN_2 / domain.valid_bytes_per_token)
        })
        .collect()
}
