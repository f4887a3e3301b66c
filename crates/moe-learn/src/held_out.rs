//! Loss on held-out text, per domain.

use burn::module::Module;
use moe_model::read_back::read;
use moe_model::{TensorError, reference};

use crate::batch::Batch;
use crate::corpus::Corpus;
use crate::learner::Learner;
use crate::{chance, loss};

/// Windows of each domain.
const WINDOWS: usize = 8;

/// Bits per byte of each domain on a few fixed windows: quick, and comparable along a run.
pub async fn bits_per_byte(learner: &Learner, corpus: &Corpus, num_tokens: usize) -> Result<Vec<f64>, TensorError> {
    let Learner { config, router, device, .. } = learner;
    let weights = learner.weights.valid();
    let draws = chance::at_inference(*router.spec(), WINDOWS * num_tokens, config);
    let mut bits = Vec::with_capacity(corpus.domains.len());
    for domain in &corpus.domains {
        let batch = Batch::new(domain.held_out_windows(WINDOWS, num_tokens), num_tokens);
        let (ids, targets) = batch.to_tensors(device);
        let inputs = |layer: usize, sequence| batch.routing_inputs(&draws[layer], sequence);
        let forward = reference::forward(&weights, config, ids, router, &inputs).await?;
        let nats = read(loss::cross_entropy(forward.logits, targets).mean()).await?[0];
        bits.push(f64::from(nats) / std::f64::consts::LN_2 / domain.valid_bytes_per_token);
    }
    Ok(bits)
}
