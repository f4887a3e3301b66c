//! Moments of a run: its gates, and what they chose for the same held-out tokens every time, to see when routing was
//! learned.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::module::Module;
use moe_model::checkpoint::{is_of_a_gate, named};
use moe_model::history::Moment;
use moe_model::{ModelConfig, reference};
use moe_router::Router;
use moe_router::matrix::Matrix;
use moe_router::measure::{ClassWeights, representation_collapse};
use moe_trace::{Overflow, RoutingSpec};

use super::data::{Batch, Corpus};
use super::learner::Learner;
use super::{burn_block_on, draws_at_inference};

/// Held-out tokens of each domain that every moment routes: the first ones. Fewer where the model sees fewer.
const PROBE_TOKENS: usize = 128;

/// The tokens every moment routes, domain after domain, a window each.
pub fn probe(corpus: &Corpus, config: &ModelConfig) -> Batch {
    let num_tokens = PROBE_TOKENS.min(config.max_tokens);
    Batch::new(corpus.domains.iter().map(|domain| &domain.valid[..=num_tokens]), num_tokens)
}

/// Routes the probe tokens with a model as it is now.
pub fn moment(learner: &Learner, step: usize, corpus: &Corpus) -> Result<Moment> {
    let config = &learner.config;
    let weights = learner.weights.valid();
    let routing = RoutingSpec { overflow: Overflow::Dropless, ..*learner.router.spec() };
    let router = Router::new(routing, config.num_experts)?;
    let batch = probe(corpus, config);
    let draws = draws_at_inference(*router.spec(), batch.ids.len(), config);
    let (ids, _) = batch.to_tensors(&learner.device);
    let inputs = |layer: usize, sequence| batch.routing_inputs(&draws[layer], sequence);
    let forward = burn_block_on(reference::forward(&weights, config, ids, &router, &inputs))?;
    let (mut choices, mut collapse) = (Vec::new(), Vec::new());
    for layer in forward.layers {
        let mut of_layer = vec![Vec::new(); batch.ids.len()];
        for (sequence, routing) in layer.routings.iter().enumerate() {
            for a in &routing.assignments {
                of_layer[sequence * batch.num_tokens + a.token as usize].push(a.expert.0);
            }
        }
        let first: Vec<u32> = of_layer.iter().map(|experts: &Vec<u32>| experts.first().copied().unwrap_or(0)).collect();
        let hidden: Vec<f32> = layer.hidden.into_data().try_to_vec().expect("states are f32");
        let hidden = Matrix::new(config.d_model, hidden);
        collapse.push(representation_collapse(&hidden, &first, ClassWeights::BySize).rc);
        choices.push(of_layer);
    }
    let is_kept = |name: &str| is_of_a_gate(name) || name.ends_with(".moe_norm");
    let gates = named(&weights).into_iter().filter(|parameter| is_kept(&parameter.name));
    Ok(Moment { step, gates: gates.map(|parameter| (parameter.name, parameter.values)).collect(), choices, collapse })
}

/// `history.jsonl` of a run, a moment a line.
pub struct History {
    path: PathBuf,
}

impl History {
    /// Moments after `step`, of a run that was cut off after writing them, are taken back.
    pub fn open(folder: &Path, step: usize) -> Result<History> {
        let path = folder.join("history.jsonl");
        let known: Vec<Moment> = if step > 0 && path.exists() { read(&path)? } else { Vec::new() };
        let known = known.iter().filter(|moment| moment.step <= step).map(serde_json::to_string);
        let lines = known.map(|line| Ok(line? + "\n")).collect::<Result<String>>()?;
        fs::write(&path, lines).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(History { path })
    }

    pub fn add(&self, moment: &Moment) -> Result<()> {
        let mut file = OpenOptions::new().append(true).open(&self.path)?;
        writeln!(file, "{}", serde_json::to_string(moment)?)?;
        Ok(())
    }
}

/// All moments of a `history.jsonl`.
pub fn read(path: &Path) -> Result<Vec<Moment>> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}
