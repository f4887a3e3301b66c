//! Bits per byte, and what is asked of whom, on the held-out text of a domain.

use anyhow::{Context, Result};
use moe_learn::{Batch, Domain, chance, loss};
use moe_model::{Tokenizer, reference};
use moe_router::rule::GateReads;
use moe_router::{Router, metrics};
use moe_trace::RoutingSpec;
use serde::{Deserialize, Serialize};

use super::Loaded;

/// Windows computed at once.
const BATCH: usize = 8;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Tokens whose successor was scored.
    pub tokens: usize,
    /// The bytes of these successors.
    pub bytes: usize,
    pub bits_per_byte: f64,
    /// Share of the requests of whole windows that lost. The scored half is the later one, where more are lost.
    pub lost: f64,
    /// Requests per layer and expert.
    pub demand: Vec<Vec<u32>>,
    /// Mean entropy of the gate's probabilities over that of all experts alike, over all tokens and layers; absent where
    /// no gate decides.
    pub router_entropy: Option<f64>,
}

/// Scores the second half of every window of the model's full length, so that each token has at least half a window
/// before it (but for the first ones of a text). A tail shorter than half a window is left out. Windows are routing
/// groups, as in training; requests are counted in all windows, which overlap.
pub fn score(domain: &Domain, loaded: &Loaded, routing: RoutingSpec, windows: Option<usize>) -> Result<Score> {
    let config = &loaded.model.manifest.config;
    let (num_tokens, stride) = (config.max_tokens, config.max_tokens / 2);
    let router = Router::new(routing, config.num_experts)?;
    let reads = router.facts().reads;
    let device = loaded.weights.embedding.val().device();
    let starts = evenly((0..domain.valid.len() - num_tokens).step_by(stride).collect(), windows);
    let draws = chance::at_inference(routing, BATCH * num_tokens, config);
    let (mut nats, mut scored, mut bytes, mut requests, mut lost) = (0.0, 0, 0, 0, 0);
    let (mut entropy, mut num_routings) = (0.0, 0);
    let mut demand = vec![vec![0; config.num_experts]; config.num_layers];
    for starts in starts.chunks(BATCH) {
        let batch = Batch::new(starts.iter().map(|start| &domain.valid[*start..=start + num_tokens]), num_tokens);
        let (ids, targets) = batch.to_tensors(&device);
        let inputs = |layer: usize, sequence| batch.routing_inputs(&draws[layer], sequence);
        let forward = pollster::block_on(reference::forward(&loaded.weights, config, ids, &router, &inputs))?;
        let losses: Vec<f32> =
            loss::cross_entropy(forward.logits, targets).into_data().try_to_vec().context("losses are f32")?;
        for (losses, start) in losses.chunks_exact(num_tokens).zip(starts) {
            let from = if *start == 0 { 0 } else { stride };
            nats += losses[from..].iter().map(|loss| f64::from(*loss)).sum::<f64>();
            scored += num_tokens - from;
            let successors = &domain.valid[start + from + 1..=start + num_tokens];
            bytes += successors.iter().map(|&id| bytes_of(&loaded.tokenizer, id)).sum::<usize>();
        }
        for (layer, demand) in forward.layers.iter().zip(&mut demand) {
            for (routing, logits) in layer.routings.iter().zip(&layer.gate_values) {
                let of_routing = metrics::demand(routing);
                requests += of_routing.iter().sum::<u32>();
                lost += metrics::overflow(routing).iter().sum::<u32>();
                demand.iter_mut().zip(of_routing).for_each(|(sum, count)| *sum += count);
                entropy += metrics::entropy_normalised(&reads.shares(logits), config.num_experts);
                num_routings += 1;
            }
        }
    }
    let has_gate = config.num_experts > 1 && reads != GateReads::Nothing;
    Ok(Score {
        tokens: scored,
        bytes,
        bits_per_byte: nats / std::f64::consts::LN_2 / bytes as f64,
        lost: f64::from(lost) / f64::from(requests.max(1)),
        demand,
        router_entropy: has_gate.then(|| entropy / f64::from(num_routings.max(1))),
    })
}

/// In the text that compressors get, the end of a document is the one byte of a separator.
fn bytes_of(tokenizer: &Tokenizer, id: u16) -> usize {
    tokenizer.bytes(u32::from(id)).len().max(1)
}

/// At most `wanted` of all, the first one and others at equal distances.
fn evenly(all: Vec<usize>, wanted: Option<usize>) -> Vec<usize> {
    match wanted {
        Some(wanted) if wanted < all.len() => (0..wanted).map(|at| all[at * all.len() / wanted]).collect(),
        _ => all,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_spread_over_all_of_the_text() {
        let all = || vec![0, 10, 20, 30, 40, 50, 60];
        assert_eq!(evenly(all(), Some(3)), [0, 20, 40]);
        assert_eq!(evenly(all(), Some(9)), all());
        assert_eq!(evenly(all(), None), all());
    }
}
