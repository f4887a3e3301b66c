//! What routing does in the shipped models, on held-out text: numbers, figures, and sentences that follow from the
//! numbers.

pub mod balance;

mod observe;

mod candidate;
mod collapse;
mod domains;
mod drops;
mod information;
mod load;
mod locality;
mod saturation;
mod spread;
mod tuning;

mod canvas;
mod chart;
mod estimate;
mod heat;
mod report;

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use burn::tensor::Device;
use clap::Args;
use moe_learn::Corpus;
use moe_router::rules;
use moe_trace::Overflow;
use serde::Serialize;

use crate::evaluate::Evaluation;
use crate::site_model::SiteModel;
use crate::train::data;
use crate::train::run_file::RunFile;
use observe::{Model, Observed, Text};
use report::Section;

/// The model of the page, from which others differ in one thing each: no balance loss, a cosine gate, a loss over the batch.
const TWIN: &str = "default";

/// The kind of text that only the tuned model was trained on.
const UNSEEN: &str = "instructions";

#[derive(Args, Debug, Clone)]
pub struct MeasureArgs {
    /// Folder of all models.
    #[arg(long, default_value = "www/site/models")]
    pub models: PathBuf,
    /// Folder that `prepare` wrote.
    #[arg(long, default_value = "data")]
    pub data: PathBuf,
    /// Folder of run files: findings speak of these models, the first in the menu being the main one.
    #[arg(long, default_value = "crates/moe-train/runs")]
    pub runs: PathBuf,
    /// Where FINDINGS.md and the folder measurements go.
    #[arg(long, default_value = "docs")]
    pub out: PathBuf,
    /// Windows per kind of text.
    #[arg(long, default_value_t = 64)]
    pub windows: usize,
}

/// What was measured of one model.
#[derive(Serialize)]
struct Of<T> {
    model: String,
    #[serde(flatten)]
    result: T,
}

/// The model that figures show: models come in the order of the menu.
fn main_of<T>(models: &[Of<T>]) -> Option<&Of<T>> {
    models.first()
}

/// All models' measurements.
#[derive(Default)]
struct Measured {
    drops: Option<drops::Drops>,
    tuned: Vec<tuning::Tuned>,
    saturation: Vec<Of<saturation::Saturation>>,
    information: Vec<Of<information::InformationOf>>,
    spreads: Vec<Of<spread::Spreads>>,
    domains: Vec<Of<domains::Domains>>,
    evaluations: Vec<Of<Evaluation>>,
    load: Vec<Of<load::Load>>,
    collapse: Vec<Of<collapse::Collapsed>>,
    locality: Vec<Of<locality::Locality>>,
    /// A row per model that was measured.
    table: String,
    /// A sentence per thing that was not.
    left_out: Vec<String>,
    /// Models whose training was not recorded.
    without_history: Vec<String>,
}

pub fn run(args: &MeasureArgs) -> Result<()> {
    let corpus = data::open_all(&args.data)?;
    let mut measured = Measured::default();
    let expected: Vec<String> = RunFile::all_in(&args.runs)?.into_iter().map(|run| run.name).collect();
    let mut names = Vec::new();
    for site in SiteModel::all_in(&args.models)? {
        names.push(site.name().to_owned());
        let is_main = expected.first().is_some_and(|name| name == site.name());
        measured.add(site, is_main, &corpus, args.windows)?;
    }
    if !tuning::is_of_this_base(&args.models)? {
        measured.tuned.clear();
        let (after, before) = (tuning::AFTER, tuning::BEFORE);
        measured.left_out.push(format!("{after} did not begin with the weights of {before} that are here."));
    }
    let missing: Vec<&str> = expected.iter().filter(|name| !names.contains(name)).map(String::as_str).collect();
    if !missing.is_empty() {
        measured.left_out.push(format!("There is no model named {}.", missing.join(", ")));
    }
    if !measured.without_history.is_empty() {
        measured.left_out.push(format!("No history of training: {}.", measured.without_history.join(", ")));
    }
    measured.write(args)
}

impl Measured {
    fn add(&mut self, site: SiteModel, is_main: bool, corpus: &Corpus, windows: usize) -> Result<()> {
        let model = Model { weights: site.weights(&Device::flex())?, site };
        let (name, manifest) = (&model.site.manifest.name, &model.site.manifest);
        let config = &manifest.config;
        if config.num_experts == 1 {
            self.left_out.push(format!("{name} has one expert, and nothing to route."));
            return Ok(());
        }
        let text = Text::of(corpus, config.max_tokens, windows)?;
        eprintln!("{name}: {} tokens", text.num_all_tokens());
        let routing = manifest.trained_routing;
        let _ = writeln!(
            self.table,
            "| {name} | {} | {} experts, {} layers | `{}` |",
            rules::router_text(&routing.router),
            config.num_experts,
            config.num_layers,
            manifest.weights.sha256.get(..16).unwrap_or_default(),
        );
        if is_main {
            self.drops = Some(drops::measure(&model, &text)?);
        }
        let trained = Observed::of(&model, &text, routing.overflow)?;
        if let Overflow::Drop(slots) = routing.overflow
            && [tuning::BEFORE, tuning::AFTER].contains(&name.as_str())
        {
            self.tuned.push(tuning::measure(name, &trained, &text, slots.factor));
        }
        let of = |name: &str| name.to_owned();
        if let Some(result) = Evaluation::read(&model.site)? {
            self.evaluations.push(Of { model: of(name), result });
        }
        self.load.push(Of { model: of(name), result: load::measure(&trained, text.num_all_tokens()) });
        drop(trained);

        let moments = model.site.moments()?.unwrap_or_default();
        match saturation::measure(&moments, config.num_experts) {
            Some(result) => self.saturation.push(Of { model: of(name), result }),
            None => self.without_history.push(name.clone()),
        }
        let observed = Observed::of(&model, &text, Overflow::Dropless)?;
        let Some((experts, k)) = observed.choices() else {
            self.left_out
                .push(format!("In {name} some tokens ask more experts than others: only its load is measured."));
            return Ok(());
        };
        let num_experts = config.num_experts;
        self.information.push(Of { model: of(name), result: information::measure(&experts, k, &text) });
        self.spreads.push(Of { model: of(name), result: spread::measure(&experts, k, num_experts, &text) });
        self.domains.push(Of { model: of(name), result: domains::measure(&experts, k, num_experts, &text) });
        self.collapse.push(Of { model: of(name), result: collapse::measure(&observed, &experts, k, &moments) });
        self.locality.push(Of { model: of(name), result: locality::measure(&experts, k, num_experts, &text) });
        Ok(())
    }

    fn write(&self, args: &MeasureArgs) -> Result<()> {
        let out = args.out.join("measurements");
        fs::create_dir_all(&out).with_context(|| format!("cannot make the folder {}", out.display()))?;
        let sections: Vec<Option<Section>> = vec![
            self.drops.as_ref().map(|drops| drops.section(&out)).transpose()?,
            tuning::section(&self.tuned, &out)?,
            saturation::section(&self.saturation, &out)?,
            information::section(&self.information, &out)?,
            spread::section(&self.spreads, &out)?,
            domains::section(&self.domains, &out)?,
            balance::section(&out)?,
            candidate::section(&self.evaluations, &self.domains, &out)?,
            load::section(&self.load, &out)?,
            collapse::section(&self.collapse, &out)?,
            locality::section(&self.locality, &out)?,
        ];
        let sections: Vec<Section> = sections.into_iter().flatten().collect();
        let mut about = format!(
            "# Findings\n\nWhat the literature says of routing, and what these small models do. `cargo xtask \
            measure` writes this document, its figures and its numbers from the models in `www/site/models` and \
            the prepared corpus ({} windows per kind of text); do not edit it. A claim \"holds\" or not by the \
            threshold its section states, for the models below and no others: one run of each, one seed, on as much \
            text as its card says.\n\n| model | rule | size | weights, SHA-256 |\n| --- | --- | --- | \
            --- |\n{}",
            args.windows, self.table,
        );
        if !self.left_out.is_empty() {
            let _ = write!(about, "\nNot measured:\n\n");
            self.left_out.iter().for_each(|line| about += &format!("- {line}\n"));
        }
        fs::write(args.out.join("FINDINGS.md"), report::document(&about, &sections))?;
        println!("{} sections in {}", sections.len(), args.out.join("FINDINGS.md").display());
        Ok(())
    }
}
