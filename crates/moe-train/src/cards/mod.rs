//! Model cards: what a model is, what it was trained on, how good it is beside compressors and its twins. Written from
//! the files beside each model, so that no number in them can be typed wrong.

mod relatives;
mod tables;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use moe_model::Manifest;
use serde::Deserialize;

use crate::compressors::Compressed;
use crate::evaluate::{Evaluation, SAMPLE_SEED};
use crate::export::Effort;
use crate::prepare::manifest::Manifest as CorpusManifest;
use crate::seeds::OtherSeed;
use crate::site_model::SiteModel;
use crate::train::run_file::{RunFile, Training};

#[derive(Args, Debug, Clone)]
pub struct CardsArgs {
    /// Folder of all models; each with an `evaluation.json` gets a card.
    #[arg(long, default_value = "www/site/models")]
    pub models: PathBuf,
    /// Folder that `prepare` and `compressors` wrote.
    #[arg(long, default_value = "data")]
    pub data: PathBuf,
}

/// Everything a card is made of.
pub struct Model {
    pub manifest: Manifest,
    pub run: RunFile,
    pub effort: Effort,
    pub evaluation: Evaluation,
    /// The same run under other seeds, as far as it was trained again.
    pub seeds: Vec<OtherSeed>,
    /// Rows of `training_log.csv`, its columns' names first.
    pub log: Vec<Vec<String>>,
}

impl Model {
    /// `None` where there is no evaluation of these weights yet.
    fn open(model: SiteModel) -> Result<Option<Model>> {
        let Some(evaluation) = Evaluation::read(&model)? else { return Ok(None) };
        if evaluation.weights_sha256 != model.manifest.weights.sha256 {
            println!("{}: the evaluation is of other weights; evaluate again", model.folder.display());
            return Ok(None);
        }
        let log = model.text("training_log.csv")?;
        let log = log.lines().map(|row| row.split(',').map(str::to_owned).collect()).collect();
        let effort = Effort::read(&model)?.with_context(|| format!("{} has no effort.json", model.folder.display()))?;
        let seeds = OtherSeed::read(&model)?;
        Ok(Some(Model { run: model.run()?, seeds, manifest: model.manifest, effort, evaluation, log }))
    }
}

pub fn run(args: &CardsArgs) -> Result<()> {
    let compressors: Vec<Compressed> = read_json(&args.data.join("compressors.json"))?;
    let corpus: CorpusManifest = read_json(&args.data.join("manifest.json"))?;
    let mut family = Vec::new();
    for model in SiteModel::all_in(&args.models)? {
        let folder = model.folder.clone();
        match Model::open(model)? {
            Some(model) => family.push((folder, model)),
            None => println!("{} has no evaluation, and gets no card", folder.display()),
        }
    }
    let models: Vec<&Model> = family.iter().map(|(_, model)| model).collect();
    for (folder, model) in &family {
        let card = card(model, &models, &compressors, &corpus)?;
        fs::write(folder.join("MODEL_CARD.md"), card)?;
    }
    Ok(())
}

fn read_json<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("in {}", path.display()))
}

impl Model {
    /// The model it began with, if it began with another's weights and that one is still of these weights.
    fn base<'a>(&self, family: &[&'a Model]) -> Option<&'a Model> {
        family.iter().copied().find(|other| self.effort.began_with(&other.manifest, &other.effort))
    }

    /// Of its own run; those of its base come before.
    fn run_tokens(&self) -> usize {
        let Training { steps, sequences, tokens, .. } = self.run.training;
        steps * sequences * tokens
    }

    /// All tokens it has learned from, repeated ones counted again.
    fn trained_tokens(&self, family: &[&Model]) -> usize {
        self.run_tokens() + self.base(family).map_or(0, |base| base.trained_tokens(family))
    }

    /// All kinds of text it has learned from.
    fn domains(&self, family: &[&Model]) -> Vec<String> {
        let mut domains = self.base(family).map_or_else(Vec::new, |base| base.domains(family));
        domains.extend(
            self.run.training.domains.iter().filter(|name| !domains.contains(name)).cloned().collect::<Vec<_>>(),
        );
        domains
    }
}

fn card(model: &Model, family: &[&Model], compressors: &[Compressed], corpus: &CorpusManifest) -> Result<String> {
    let Model { manifest, run, effort, evaluation, log, .. } = model;
    let domains = model.domains(family);
    let base = match (&run.start_from, model.base(family)) {
        (None, _) => String::new(),
        (Some(name), Some(_)) => {
            format!(" It began with the weights of `{name}` as they are here, which its tokens come on top of.")
        }
        (Some(name), None) => format!(" It began with other weights of `{name}` than those that are here."),
    };
    let sections = [
        format!("# {}\n\n{}. A small language model, trained to show routing, not to know things.", manifest.name, capital(&manifest.title)),
        tables::sizes(manifest),
        format!(
            "## Training\n\n`cargo xtask train prepare`, then `train` with this run file: {} tokens, {} in {:.0} minutes on \
             a machine that did other work besides.{base} AdamW (β 0.9 and 0.95, ε 10⁻⁵, decay on all parameters), the \
             learning rate up linearly and down along a cosine to a twentieth; the loss is cross-entropy plus what the file \
             says of balance (per choice) and router z-loss. The same file gives the same log, to the byte, on the same \
             machine. `training_log.csv` has losses, held-out bits per byte and demand per expert along the run.",
            model.run_tokens(), effort.machine, effort.minutes,
        ),
        format!("```toml\n{}```", toml::to_string(run)?),
        tables::curve(log),
        tables::data(&domains, corpus),
        format!(
            "Batches take domains in turn, and every window of a text once before any comes again. Whole files are held \
             out. The tokenizer learned from the training texts, SHA-256 `{}`.",
            corpus.tokenizer_sha256
        ),
        format!(
            "## How good it is\n\nBits per byte on held-out files, the 8-bit file, {}; beside compressors primed with nothing \
             on the whole files (`cargo xtask train evaluate`, `compressors`). Lower is better. Requests lost are of whole \
             windows of {} tokens.",
            scored(evaluation), manifest.config.max_tokens,
        ),
        tables::quality(evaluation, compressors),
        tables::verdicts(evaluation, compressors, corpus, &domains).join(" "),
        relatives::twin(model, family),
        format!(
            "## What it writes\n\nIn ⟦ ⟧, 64 tokens after a prompt of each kind of text, routed as in training: \
             temperature 0.7, top-p 0.9, seed {SAMPLE_SEED}, nothing picked.",
        ),
        tables::samples(evaluation),
        "## Beside its relatives\n\nMeans over the six kinds of text of the corpus. *Load CV*: standard deviation over mean \
         of the experts' demand, mean over layers; 0 is perfect balance. *Entropy*: of the gate's probabilities, as a share \
         of its largest. *Right*: answers of 200 held-out sums and the like. Models with equal tokens and as much scored \
         text may be compared with each other."
            .to_owned(),
        relatives::family(family),
        relatives::seeds(family),
        relatives::looking_ahead(family),
        format!(
            "## What it is not good for\n\nFacts, {}arithmetic beyond a few digits, any language but those of its text. It \
             continues text so that it looks like that text. Its corpus is old; so are its views.",
            if run.start_from.is_some() { "questions of other forms than those it was tuned on, " } else { "instructions, " },
        ),
    ];
    Ok(sections.into_iter().filter(|section| !section.is_empty()).collect::<Vec<_>>().join("\n\n") + "\n")
}

/// How much of the held-out text the figures are of.
fn scored(evaluation: &Evaluation) -> String {
    match evaluation.windows {
        None => "on all of it".to_owned(),
        Some(windows) => format!("on the second halves of {windows} windows of each kind, evenly spread"),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
