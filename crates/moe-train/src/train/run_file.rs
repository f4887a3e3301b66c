//! A training run as one TOML file: everything that decides about the weights, and how a menu shows the model.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use moe_learn::Recipe;
use moe_model::ModelConfig;
use moe_model::forms::gate::GateConfig;
use moe_router::{Router, rules};
use moe_trace::training::{AuxiliaryLoss, WeightedLoss};
use moe_trace::{CapacitySpec, Overflow, RoutingSpec};
use serde::{Deserialize, Serialize};

/// A run: the same file gives the same log, to the byte, on the same machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunFile {
    /// The model's name: its folder, and what the page's menu and links call it.
    pub name: String,
    /// What it is, in a few words.
    pub title: String,
    /// Its place in the menu, from 1; others come behind, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<u32>,
    /// Of initial weights, windows and draws.
    pub seed: u64,
    /// The run whose weights this one goes on from, instead of random ones.
    pub start_from: Option<String>,
    pub model: Sizes,
    pub routing: Routing,
    pub training: Training,
}

/// Sizes that differ from run to run; the tokenizer gives the vocabulary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sizes {
    pub d_model: usize,
    pub num_layers: usize,
    pub num_heads: usize,
    pub num_kv_heads: usize,
    pub num_experts: usize,
    pub d_expert: usize,
    #[serde(default)]
    pub num_shared_experts: usize,
    #[serde(default)]
    pub gate: GateConfig,
    pub max_tokens: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Routing {
    /// In the textual form of docs/ROUTING_RULES.md.
    pub rule: String,
    /// Without one nobody is turned away.
    pub capacity_factor: Option<f32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Kinds of text, which take turns.
    pub domains: Vec<String>,
    /// Their turns where some come more often than others; each comes at least once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub turns: Vec<String>,
    /// Optimiser steps, over which the learning rate falls.
    pub steps: usize,
    /// Sequences per step; each is one routing group.
    pub sequences: usize,
    /// Tokens per sequence.
    pub tokens: usize,
    /// Highest learning rate.
    pub learning_rate: f64,
    /// Steps until the learning rate is at its highest.
    pub warm_up: usize,
    /// Of AdamW (arXiv:1711.05101).
    pub weight_decay: f64,
    /// Largest norm of the gradient, all parameters together.
    pub gradient_clip: f32,
    /// Coefficient of the load-balancing loss (per choice: 1 at perfect balance).
    pub balance: f64,
    /// Tokens among which that loss asks for balance.
    #[serde(default, skip_serializing_if = "BalanceOver::is_sequence")]
    pub balance_over: BalanceOver,
    /// Coefficient of the router z-loss.
    pub z: f64,
    /// By how much a step moves the selection bias (arXiv:2408.15664, algorithm 1). 0 for none.
    #[serde(default)]
    pub bias_step: f32,
    /// Steps between checkpoints with validation.
    pub checkpoint_every: usize,
    /// Moments of the run to keep gates and probe choices of, for the history. 0 for none.
    #[serde(default)]
    pub history: usize,
}

/// What a load-balancing loss counts together: within a narrow scope each text must use all experts alike, within a wide
/// one only all texts together (Qiu et al. 2025, arXiv:2501.11873).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BalanceOver {
    /// Each sequence by itself (DeepSeek-V3, arXiv:2412.19437, eq. 17-20).
    #[default]
    Sequence,
    /// All sequences of the batch.
    Batch,
}

impl BalanceOver {
    fn is_sequence(&self) -> bool {
        *self == BalanceOver::Sequence
    }

    fn loss(self) -> AuxiliaryLoss {
        match self {
            BalanceOver::Sequence => AuxiliaryLoss::SequenceBalance,
            BalanceOver::Batch => AuxiliaryLoss::Balance,
        }
    }
}

impl RunFile {
    pub fn read(path: &Path) -> Result<RunFile> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read the run file {}", path.display()))?;
        RunFile::parse(&text).with_context(|| format!("in the run file {}", path.display()))
    }

    /// The run files in a folder, in the order of the menu; those without a place in it come behind, by name.
    pub fn all_in(folder: &Path) -> Result<Vec<RunFile>> {
        let entries = fs::read_dir(folder).with_context(|| format!("there is no folder {}", folder.display()))?;
        let mut runs = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                runs.push(RunFile::read(&path)?);
            }
        }
        runs.sort_by(|a, b| a.menu_key().cmp(&b.menu_key()));
        Ok(runs)
    }

    /// What menus are sorted by.
    pub fn menu_key(&self) -> (u32, &str) {
        (self.order.unwrap_or(u32::MAX), &self.name)
    }

    fn parse(text: &str) -> Result<RunFile> {
        let run: RunFile = toml::from_str(text)?;
        let Training { steps, sequences, tokens, warm_up, checkpoint_every, history, .. } = run.training;
        ensure!(steps > 0 && sequences > 0 && tokens > 0, "steps, sequences and tokens are at least 1");
        ensure!(warm_up <= steps, "warm_up is {warm_up} steps, but there are only {steps}");
        ensure!(checkpoint_every > 0, "checkpoint_every is at least 1");
        ensure!(history != 1, "a history of one moment shows nothing; history is 0, or at least 2");
        ensure!(!run.training.domains.is_empty(), "domains is empty; name the kinds of text to train on");
        let Training { domains, turns, .. } = &run.training;
        if let Some(domain) = domains.iter().find(|domain| !turns.is_empty() && !turns.contains(domain)) {
            bail!("the domain {domain} has no turn; name it in turns too");
        }
        if let Some(turn) = turns.iter().find(|turn| !domains.contains(turn)) {
            bail!("{turn} has a turn, but is not among the domains");
        }
        let name = &run.name;
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        ensure!(
            !name.is_empty() && name.chars().all(is_plain),
            "the name '{name}' is also a folder's; use a to z, 0 to 9 and -"
        );
        ensure!(tokens <= run.model.max_tokens, "tokens is {tokens}, but max_tokens {}", run.model.max_tokens);
        run.config(1).check()?;
        Router::new(run.routing()?, run.model.num_experts)?;
        Ok(run)
    }

    /// All sizes of the model.
    pub fn config(&self, vocab_size: usize) -> ModelConfig {
        let Sizes { d_model, num_layers, num_heads, num_kv_heads, num_experts, d_expert, .. } = self.model;
        ModelConfig {
            vocab_size,
            d_model,
            num_layers,
            num_heads,
            num_kv_heads,
            d_head: d_model / num_heads.max(1),
            num_experts,
            d_expert,
            max_tokens: self.model.max_tokens,
            gate: self.model.gate,
            num_shared_experts: self.model.num_shared_experts,
            selection_bias: self.training.bias_step > 0.0,
            ..ModelConfig::default()
        }
    }

    /// The kinds of text in the order in which windows are drawn from them.
    pub fn turns(&self) -> &[String] {
        let Training { domains, turns, .. } = &self.training;
        if turns.is_empty() { domains } else { turns }
    }

    /// How tokens are routed in training.
    pub fn routing(&self) -> Result<RoutingSpec> {
        let router = rules::parse_router(&self.routing.rule)?;
        let overflow = match self.routing.capacity_factor {
            Some(factor) => Overflow::Drop(CapacitySpec { factor, ..CapacitySpec::default() }),
            None => Overflow::Dropless,
        };
        Ok(RoutingSpec { router, overflow })
    }

    /// What the learner needs to know.
    pub fn recipe(&self) -> Recipe {
        let Training { steps, learning_rate, warm_up, weight_decay, gradient_clip, balance, z, bias_step, .. } =
            self.training;
        let seed = self.seed;
        // The log has both, whatever they weigh.
        let losses = [(self.training.balance_over.loss(), balance), (AuxiliaryLoss::Z, z)];
        let losses = losses.map(|(loss, coefficient)| WeightedLoss { loss, coefficient: coefficient as f32 }).to_vec();
        Recipe { seed, steps, learning_rate, warm_up, weight_decay, gradient_clip, losses, bias_step }
    }

    /// Would both runs train the same weights? How a menu shows them is of no matter.
    pub fn trains_as(&self, other: &RunFile) -> bool {
        let shown_as_other = RunFile { title: other.title.clone(), order: other.order, ..self.clone() };
        shown_as_other == *other
    }

    /// Steps after which gates and choices are kept: close together at first, where routing is learned, up to the end.
    pub fn moments(&self) -> Vec<usize> {
        let Training { steps, history, .. } = self.training;
        let share = |moment: usize| moment as f64 / (history - 1) as f64;
        let mut moments: Vec<usize> =
            (0..history).map(|moment| (share(moment).powi(2) * steps as f64).round() as usize).collect();
        moments.dedup();
        moments
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A run of seconds, over one kind of text called `text`.
    pub const TINY: &str = r#"
name = "tiny"
title = "for tests"
seed = 3
[model]
d_model = 16
num_layers = 2
num_heads = 2
num_kv_heads = 1
num_experts = 4
d_expert = 8
max_tokens = 16
[routing]
rule = "top_k:2"
capacity_factor = 1.25
[training]
domains = ["text"]
steps = 6
sequences = 2
tokens = 16
learning_rate = 1e-2
warm_up = 2
weight_decay = 0.1
gradient_clip = 1.0
balance = 1e-2
z = 1e-3
checkpoint_every = 3
history = 3
"#;

    #[test]
    fn a_mistake_is_named() {
        let check = |from: &str, to: &str, message: &str| {
            let error = RunFile::parse(&TINY.replace(from, to)).expect_err(to);
            assert!(format!("{error:#}").contains(message), "{error:#}");
        };
        check("top_k:2", "top_k:9", "4 experts");
        check("seed = 3", "seed = 3\nsede = 4", "sede");
        check("\"tiny\"", "\"../tiny\"", "use a to z");
        check("tokens = 16\nlearning", "tokens = 17\nlearning", "max_tokens 16");
        check("warm_up = 2", "warm_up = 7", "only 6");
        check("history = 3", "history = 1", "at least 2");
        check("[\"text\"]", "[\"text\", \"b\"]\nturns = [\"text\"]", "domain b has no turn");
        check("[\"text\"]", "[\"text\"]\nturns = [\"text\", \"b\"]", "b has a turn");
        check("num_kv_heads = 1", "num_kv_heads = 3", "key-value heads");
    }

    #[test]
    fn every_run_file_of_the_repository_is_valid_and_of_its_name() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("runs");
        let mut count = 0;
        for entry in fs::read_dir(folder).expect("the folder exists") {
            let path = entry.expect("it can be listed").path();
            let run = RunFile::read(&path).unwrap_or_else(|error| panic!("{error:#}"));
            assert_eq!(Some(run.name.as_str()), path.file_stem().and_then(|stem| stem.to_str()));
            count += 1;
        }
        assert!(count > 1);
    }

    #[test]
    fn the_moments_lie_close_at_first_and_end_with_the_run() {
        let run = RunFile::parse(TINY).expect("a valid run");
        assert_eq!(run.moments(), [0, 2, 6]);
        let long = RunFile { training: Training { steps: 3200, history: 20, ..run.training.clone() }, ..run };
        let moments = long.moments();
        assert_eq!((moments.len(), moments[0], moments[1], moments[19]), (20, 0, 9, 3200));
    }

    #[test]
    fn what_is_balanced_together_is_the_loss_that_is_taken() {
        let check = |toml: &str, expected| {
            let run = RunFile::parse(toml).expect("a valid run");
            assert_eq!(run.recipe().losses[0].loss, expected);
            let written = toml::to_string(&run).expect("it can be written");
            assert_eq!(RunFile::parse(&written).expect("and read"), run);
        };
        check(TINY, AuxiliaryLoss::SequenceBalance);
        check(&TINY.replace("z = 1e-3", "z = 1e-3\nbalance_over = \"batch\""), AuxiliaryLoss::Balance);
    }

    #[test]
    fn a_place_in_the_menu_changes_no_weights() {
        let run = RunFile::parse(TINY).expect("a valid run");
        let listed = RunFile { order: Some(3), title: "another title".to_owned(), ..run.clone() };
        assert!(run.trains_as(&listed));
        assert!(!run.trains_as(&RunFile { seed: 4, ..run.clone() }));
        assert_eq!(run.recipe().learning_rate_at(1), 1e-2);
    }
}
