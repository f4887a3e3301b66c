//! What 8-bit weights cost: the exported model beside the checkpoint it was made from.

use std::path::Path;

use anyhow::Result;
use moe_learn::{Batch, Corpus, chance, loss};
use moe_model::reference::Forward;
use moe_model::{Weights, reference};
use moe_router::Router;
use moe_trace::{Overflow, Routing, RoutingSpec};
use serde::{Deserialize, Serialize};

use super::Loaded;
use crate::train::checkpoint;

/// 8-bit against f32 on the same windows, nobody turned away.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quantisation {
    /// How many bits per byte more, mean over domains.
    pub bits_per_byte: f64,
    /// Share of (token, layer) pairs whose set of experts is another.
    pub changed_routes: f64,
}

/// Windows of each domain.
const WINDOWS: usize = 8;

/// `None` where the run is not there, or has gone on since the export.
pub fn compare(loaded: &Loaded, run: &Path, corpus: &Corpus) -> Result<Option<Quantisation>> {
    let Some(state) = checkpoint::read_state(run)? else { return Ok(None) };
    let Loaded { model, weights, .. } = loaded;
    let config = &model.manifest.config;
    if state.config() != *config || state.step != state.run.training.steps {
        return Ok(None);
    }
    let device = weights.embedding.val().device();
    let trained = checkpoint::load_weights(run, state.step, Weights::zeros(config, &device))?;
    let routing = RoutingSpec { overflow: Overflow::Dropless, ..model.manifest.trained_routing };
    let router = Router::new(routing, config.num_experts)?;
    let draws = chance::at_inference(routing, WINDOWS * config.max_tokens, config);
    let (mut bits, mut changed, mut routes) = (0.0, 0, 0);
    for domain in &corpus.domains {
        let stride = (domain.valid.len() - config.max_tokens - 1) / WINDOWS;
        let windows = (0..WINDOWS).map(|at| &domain.valid[at * stride..=at * stride + config.max_tokens]);
        let batch = Batch::new(windows, config.max_tokens);
        let forward = |weights: &Weights| -> Result<(f64, Forward)> {
            let (ids, targets) = batch.to_tensors(&device);
            let inputs = |layer: usize, sequence| batch.routing_inputs(&draws[layer], sequence);
            let forward = pollster::block_on(reference::forward(weights, config, ids, &router, &inputs))?;
            let nats = loss::cross_entropy(forward.logits.clone(), targets).mean().into_scalar::<f32>();
            Ok((f64::from(nats) / std::f64::consts::LN_2 / domain.valid_bytes_per_token, forward))
        };
        let (bits_of_8, of_8) = forward(weights)?;
        let (bits_of_f32, of_f32) = forward(&trained)?;
        bits += (bits_of_8 - bits_of_f32) / corpus.domains.len() as f64;
        let pairs = of_8.layers.iter().zip(&of_f32.layers).flat_map(|(a, b)| a.routings.iter().zip(&b.routings));
        for (a, b) in pairs {
            routes += a.num_tokens;
            changed += experts(a).iter().zip(experts(b)).filter(|(a, b)| **a != *b).count();
        }
    }
    Ok(Some(Quantisation { bits_per_byte: bits, changed_routes: changed as f64 / f64::from(routes.max(1)) }))
}

/// The experts of each token, in order of their numbers.
fn experts(routing: &Routing) -> Vec<Vec<u32>> {
    let mut of_tokens = vec![Vec::new(); routing.num_tokens as usize];
    for a in &routing.assignments {
        of_tokens[a.token as usize].push(a.expert.0);
    }
    of_tokens.iter_mut().for_each(|experts| experts.sort_unstable());
    of_tokens
}
