//! Loss on held-out text, per domain.

use anyhow::Result;
use burn::module::Module;
use moe_model::reference;

use super::data::{Batch, Corpus};
use super::learner::Learner;
use super::{burn_block_on, draws_at_inference, loss};

/// Bits per byte of each domain on eight fixed windows: quick and comparable along a run. `evaluate` takes it all.
pub fn quick(learner: &Learner, corpus: &Corpus, num_tokens: usize) -> Result<Vec<f64>> {
    let Learner { config, router, device, .. } = learner;
    let weights = learner.weights.valid();
    let windows = 8;
    let draws = draws_at_inference(*router.spec(), windows * num_tokens, config);
    corpus
        .domains
        .iter()
        .map(|domain| {
            let batch = Batch::new(domain.held_out_windows(windows, num_tokens), num_tokens);
            let (ids, targets) = batch.to_tensors(device);
            let inputs = |layer: usize, sequence| batch.routing_inputs(&draws[layer], sequence);
            let forward = burn_block_on(reference::forward(&weights, config, ids, router, &inputs))?;
            let nats = loss::cross_entropy(forward.logits, targets).mean().into_scalar::<f32>();
            Ok(f64::from(nats) / std::f64::consts::LN_2 / domain.valid_bytes_per_token)
        })
        .collect()
}
