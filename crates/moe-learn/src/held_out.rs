//! Loss on held-out text, per domain.

use burn::module::Module;
use moe_model::read_back::read;
use moe_model::{TensorError, reference};
use moe_router::metrics;

use crate::batch::Batch;
use crate::corpus::Corpus;
use crate::learner::Learner;
use crate::{chance, loss};

/// Windows of each domain.
const WINDOWS: usize = 8;

/// A domain on a few fixed windows.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldOut {
    /// Nats per token.
    pub nats: f32,
    /// Requests per expert, `[layers][experts]`.
    pub demand: Vec<Vec<u32>>,
}

/// Each domain on a few fixed windows: quick, and comparable along a run.
pub async fn by_domain(learner: &Learner, corpus: &Corpus, num_tokens: usize) -> Result<Vec<HeldOut>, TensorError> {
    let Learner { config, rule, device, .. } = learner;
    let weights = learner.weights.valid();
    let draws = chance::at_inference(rule.spec(), WINDOWS * num_tokens, config);
    let mut found = Vec::with_capacity(corpus.domains.len());
    for domain in &corpus.domains {
        let batch = Batch::new(domain.held_out_windows(WINDOWS, num_tokens), num_tokens);
        let (ids, targets) = batch.to_tensors(device);
        let inputs = |layer: usize, sequence| batch.routing_inputs(&draws[layer], sequence);
        let forward = reference::forward(&weights, config, ids, *rule, &inputs).await?;
        let nats = read(loss::cross_entropy(forward.logits, targets).mean()).await?[0];
        let of_layer = |layer: &reference::LayerOutcome| {
            let mut sums = vec![0; config.num_experts];
            for demand in layer.routings.iter().map(metrics::demand) {
                sums.iter_mut().zip(demand).for_each(|(sum, count)| *sum += count);
            }
            sums
        };
        found.push(HeldOut { nats, demand: forward.layers.iter().map(of_layer).collect() });
    }
    Ok(found)
}

/// Nats per token, all domains being equally frequent.
pub fn mean(found: &[HeldOut]) -> f32 {
    found.iter().map(|of| of.nats).sum::<f32>() / found.len() as f32
}

/// Bits per byte of each domain.
pub async fn bits_per_byte(learner: &Learner, corpus: &Corpus, num_tokens: usize) -> Result<Vec<f64>, TensorError> {
    let found = by_domain(learner, corpus, num_tokens).await?;
    let bits = |nats: f32, bytes_per_token: f64| f64::from(nats) / std::f64::consts::LN_2 / bytes_per_token;
    Ok(found.iter().zip(&corpus.domains).map(|(of, domain)| bits(of.nats, domain.valid_bytes_per_token)).collect())
}
