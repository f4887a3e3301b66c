//! Moments of a run: its gates, and what they chose for the same held-out tokens every time, to see when routing was
//! learned.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::module::Module;
use moe_learn::{Batch, Corpus, Learner, chance};
use moe_model::architecture::{Architecture, Role};
use moe_model::checkpoint::named;
use moe_model::history::Moment;
use moe_model::reference::{self, Forward, Rule};
use moe_model::{ModelConfig, Weights};
use moe_router::matrix::Matrix;
use moe_router::measure::{ClassWeights, representation_collapse};
use moe_trace::training::TrainedRule;
use moe_trace::{Overflow, Routing, RoutingSpec};

use super::checkpoint::replace;

/// Held-out tokens of each domain that every moment routes: the first ones. Fewer where the model sees fewer.
const PROBE_TOKENS: usize = 128;

/// Held-out windows of each domain, evenly spread, that representation collapse is measured on.
pub const COLLAPSE_WINDOWS: usize = 4;

/// The tokens every moment routes, domain after domain, a window each.
pub fn probe(corpus: &Corpus, config: &ModelConfig) -> Batch {
    corpus.held_out_batch(1, PROBE_TOKENS.min(config.max_tokens))
}

/// What a model as it is now makes of the probe tokens, and its representation collapse on more text.
pub fn moment(learner: &Learner, step: usize, corpus: &Corpus) -> Result<Moment> {
    let config = &learner.config;
    let weights = learner.weights.valid();
    let batch = probe(corpus, config);
    let choices = route(learner, &weights, &batch)?.layers.iter().map(|layer| choices(&layer.routings)).collect();
    let windows = corpus.held_out_batch(COLLAPSE_WINDOWS, config.max_tokens);
    let collapse = route(learner, &weights, &windows)?.layers.into_iter().map(|layer| {
        let hidden = layer.hidden.into_data().try_to_vec().context("states are f32")?;
        Ok(collapse(&Matrix::new(config.d_model, hidden), &choices_first(&layer.routings), ClassWeights::BySize))
    });
    let gates = named(&weights, Architecture::MoePlayground).into_iter();
    let gates = gates.filter(|parameter| matches!(parameter.role, Role::Gate | Role::NormOfGate));
    let gates = gates.map(|parameter| (parameter.name, parameter.values)).collect();
    Ok(Moment { step, gates, choices, collapse: collapse.collect::<Result<_>>()? })
}

/// A forward pass in which nobody is turned away.
fn route(learner: &Learner, weights: &Weights, batch: &Batch) -> Result<Forward> {
    let config = &learner.config;
    let rule = match learner.rule.spec() {
        TrainedRule::Assigns(spec) => RoutingSpec { overflow: Overflow::Dropless, ..spec }.into(),
        mixes => mixes,
    };
    let rule = Rule::new(rule, config.num_experts)?;
    let draws = chance::at_inference(rule.spec(), batch.ids.len(), config);
    let (ids, _) = batch.to_tensors(&learner.device);
    let inputs = |layer: usize, sequence| batch.routing_inputs(&draws[layer], sequence);
    Ok(pollster::block_on(reference::forward(weights, config, ids, rule, &inputs))?)
}

/// `[tokens of all routings][experts in order of choice]`
fn choices(routings: &[Routing]) -> Vec<Vec<u32>> {
    let of_routing = |routing: &Routing| {
        let mut choices = vec![Vec::new(); routing.num_tokens as usize];
        for a in &routing.assignments {
            choices[a.token as usize].push(a.expert.0);
        }
        choices
    };
    routings.iter().flat_map(of_routing).collect()
}

/// `[tokens of all routings]`; nothing for a token that no expert takes.
fn choices_first(routings: &[Routing]) -> Vec<Option<u32>> {
    choices(routings).iter().map(|experts| experts.first().copied()).collect()
}

/// The collapse metric of hidden states by the first choice of their tokens. Tokens without a choice, and classes of a
/// single token, which have no spread, are left out.
pub fn collapse(hidden: &Matrix, classes: &[Option<u32>], weights: ClassWeights) -> f64 {
    let is_kept =
        |class: &Option<u32>| class.is_some() && classes.iter().filter(|of| *of == class).take(2).count() == 2;
    let kept = || hidden.rows().zip(classes).filter(|(_, class)| is_kept(class));
    let states = Matrix::new(hidden.width(), kept().flat_map(|(row, _)| row.iter().copied()).collect());
    let classes: Vec<u32> = kept().filter_map(|(_, class)| *class).collect();
    representation_collapse(&states, &classes, weights).rc
}

/// `history.jsonl` of a run, a moment a line.
pub struct History {
    path: PathBuf,
}

impl History {
    /// Moments after `step`, of a run that was cut off after writing them, or while it did, are taken back.
    pub fn open(folder: &Path, step: usize) -> Result<History> {
        let path = folder.join("history.jsonl");
        let text = if step > 0 && path.exists() { read_text(&path)? } else { String::new() };
        let is_known = |line: &&str| serde_json::from_str::<Moment>(line).is_ok_and(|moment| moment.step <= step);
        let known: String = text.lines().filter(is_known).map(|line| format!("{line}\n")).collect();
        replace(&path, &known)?;
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
    let moments = read_text(path)?.lines().map(serde_json::from_str).collect::<Result<_, _>>();
    moments.with_context(|| format!("{} is not a history of this version", path.display()))
}

fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_without_a_choice_and_classes_of_one_token_count_for_nothing() {
        let states = [0.0, 0.0, 1.0, 0.0, 5.0, 5.0, 6.0, 5.0, 90.0, 7.0, -80.0, 3.0];
        let classes = [Some(0), Some(0), Some(3), Some(3), Some(1), None];
        let all = collapse(&Matrix::new(2, states.to_vec()), &classes, ClassWeights::BySize);
        let kept = Matrix::new(2, states[..8].to_vec());
        assert_eq!(all, representation_collapse(&kept, &[0, 0, 3, 3], ClassWeights::BySize).rc);
    }

    #[test]
    fn a_line_cut_off_and_later_moments_are_taken_back() {
        let folder = std::env::temp_dir().join(format!("moe-train-history-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a temporary folder can be made");
        let moment = |step| Moment { step, gates: Vec::new(), choices: Vec::new(), collapse: Vec::new() };
        let history = History::open(&folder, 0).expect("it is new");
        for step in [0, 1, 5] {
            history.add(&moment(step)).expect("it can be written");
        }
        let path = folder.join("history.jsonl");
        let text = fs::read_to_string(&path).expect("it was written") + "{\"step\":2,\"ga";
        fs::write(&path, text).expect("it can be written");
        History::open(&folder, 3).expect("it goes on");
        let steps: Vec<usize> = read(&path).expect("all lines are whole").iter().map(|moment| moment.step).collect();
        assert_eq!(steps, [0, 1]);
        fs::remove_dir_all(folder).expect("it can be removed");
    }
}
