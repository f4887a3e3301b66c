//! Shipped models reshaped: a dense feed-forward copied into experts, experts merged into one, or distilled into it; and
//! what each costs, on held-out text.
//!
//! What changes is `moe_learn::reshape` and `moe_learn::distil`, as in the page's lab. Each command writes a folder with the
//! model that came of it (`manifest.json`, weights, tokenizer, as the page loads them), its numbers (`reshaped.json`) and
//! its card.

mod card;
mod model;

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Args;
use moe_learn::distil::{self, Stage, TEACHERS_SHARE};
use moe_learn::reshape::upcycled;
use moe_learn::saved::{restore, save};
use moe_learn::{Corpus, Learner, held_out};
use moe_model::ModelConfig;
use moe_trace::{Overflow, RouterSpec, RoutingSpec, Weighting};

use crate::train::device::DeviceChoice;
use card::{Report, Row};
use model::Source;

#[derive(Args, Debug, Clone)]
pub struct Places {
    /// Folder of all models.
    #[arg(long, default_value = "www/site/models")]
    pub models: PathBuf,
    /// Folder that `prepare` wrote.
    #[arg(long, default_value = "data")]
    pub data: PathBuf,
    /// Where the new model's folder goes.
    #[arg(long, default_value = "runs/reshaped")]
    pub out: PathBuf,
    /// Where to compute.
    #[arg(long, default_value = "cpu")]
    pub device: DeviceChoice,
}

/// How a model learns on.
#[derive(Args, Debug, Clone)]
pub struct Learning {
    /// Highest learning rate; it rises over a tenth of the steps and falls to a twentieth.
    #[arg(long, default_value_t = 1e-3)]
    pub learning_rate: f64,
    /// Sequences per step, each of the model's full length.
    #[arg(long, default_value_t = 8)]
    pub sequences: usize,
    /// Of batches, draws and noise.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

#[derive(Args, Debug, Clone)]
pub struct UpcycleArgs {
    /// A model with one feed-forward a layer.
    #[arg(default_value = "default-dense")]
    pub model: String,
    /// Copies of each feed-forward.
    #[arg(long, default_value_t = 8)]
    pub experts: usize,
    /// How many of them a token asks.
    #[arg(long, default_value_t = 2)]
    pub k: u32,
    /// Deviation of what is added to the copies, as a part of the root mean square of each matrix.
    #[arg(long, default_value_t = 0.0)]
    pub noise: f32,
    /// Steps that the experts learn, and beside them the dense model.
    #[arg(long, default_value_t = 200)]
    pub steps: usize,
    #[command(flatten)]
    pub learning: Learning,
    #[command(flatten)]
    pub places: Places,
}

#[derive(Args, Debug, Clone)]
pub struct MergeArgs {
    /// A model with experts.
    #[arg(default_value = "default")]
    pub model: String,
    #[command(flatten)]
    pub places: Places,
}

#[derive(Args, Debug, Clone)]
pub struct DistilArgs {
    /// A model with experts.
    #[arg(default_value = "default")]
    pub model: String,
    /// Steps in which each layer learns what the experts say of the same states.
    #[arg(long, default_value_t = 100)]
    pub layer_steps: usize,
    /// Steps that follow, on the text, with the experts' expectations beside it.
    #[arg(long, default_value_t = 200)]
    pub text_steps: usize,
    #[command(flatten)]
    pub learning: Learning,
    #[command(flatten)]
    pub places: Places,
}

/// The rule of a model with one feed-forward a layer.
const DENSE: RoutingSpec = RoutingSpec { router: RouterSpec::Dense, overflow: Overflow::Dropless };

pub fn upcycle(args: &UpcycleArgs) -> Result<()> {
    let UpcycleArgs { experts, k, noise, steps, .. } = *args;
    let source = Source::open(&args.model, &args.places)?;
    ensure!(source.config().num_experts == 1, "{} has experts already; merge them first", args.model);
    ensure!(experts >= 2, "{experts} is no number of experts; choose two or more");
    ensure!(noise.is_finite() && (0.0..=1.0).contains(&noise), "the noise is {noise}; choose one from 0 to 1");
    let mut dense = source.learner(steps, &args.learning)?;
    let config = ModelConfig { num_experts: experts, ..dense.config.clone() };
    let rule = RoutingSpec { router: RouterSpec::TopK { k, weighting: Weighting::Norm }, overflow: Overflow::Dropless };
    let mut sparse = Learner::new(config, rule, dense.recipe.clone(), dense.device.clone())?;
    let (from, fresh) = (kept(&dense)?, kept(&sparse)?);
    restore(&mut sparse, &upcycled(&from, &fresh, noise, args.learning.seed))?;
    let mut report = Report::new(&source, format!("{}-upcycled", args.model));
    report.rows.push(source.row("one feed-forward, as shipped", &dense, 0)?);
    report.rows.push(source.row(&format!("copied into {experts} experts, {k} a token"), &sparse, 0)?);
    let sequences = args.learning.sequences;
    learn(&mut sparse, &source.corpus, 0..steps, sequences)?;
    report.rows.push(source.row("these experts, learning on", &sparse, steps)?);
    learn(&mut dense, &source.corpus, 0..steps, sequences)?;
    report.rows.push(source.row("the one feed-forward, learning on", &dense, steps)?);
    report.says = format!(
        "The feed-forward of each layer was copied into {experts} experts (sparse upcycling, arXiv:2212.05055), noise \
         {noise}; the gate is new. Both then learned {steps} steps of the same batches."
    );
    report.write(&source, &sparse, rule, steps * sequences * source.num_tokens(), &args.places.out)
}

pub fn merge(args: &MergeArgs) -> Result<()> {
    let source = Source::open(&args.model, &args.places)?;
    let experts = source.experts_or_refuse()?;
    let (student, even) = (source.merged(&experts, true)?, source.merged(&experts, false)?);
    let mut report = Report::new(&source, format!("{}-merged", args.model));
    report.rows.push(source.row("experts, as shipped", &experts, 0)?);
    report.rows.push(source.row("their mean by load", &student, 0)?);
    report.rows.push(source.row("their plain mean", &even, 0)?);
    report.says =
        "The experts of each layer were averaged into one, each by its share of the requests on training text; \
                   nothing was learned."
            .to_owned();
    report.write(&source, &student, DENSE, 0, &args.places.out)
}

pub fn distil(args: &DistilArgs) -> Result<()> {
    let DistilArgs { layer_steps, text_steps, .. } = *args;
    let steps = layer_steps + text_steps;
    ensure!(steps > 0, "there is no step to learn in");
    let source = Source::open(&args.model, &args.places)?;
    let experts = source.experts_or_refuse()?;
    let merged = source.merged(&experts, true)?;
    let mut report = Report::new(&source, format!("{}-distilled", args.model));
    report.rows.push(source.row("experts, as shipped", &experts, 0)?);
    report.rows.push(source.row("their mean by load", &merged, 0)?);
    let recipe = source.recipe(steps, &args.learning);
    let sequences = args.learning.sequences;
    let mut student = Learner { recipe: recipe.clone(), ..merged.clone() };
    let teacher = distil::teacher(&experts);
    for step in 0..steps {
        let stage = match step < layer_steps {
            true => Stage::Layers,
            false => Stage::Text { teachers_share: TEACHERS_SHARE },
        };
        let batch = source.corpus.training_batch(sequences, source.num_tokens(), recipe.seed, step);
        let (seen, distance) = pollster::block_on(distil::step(&mut student, &teacher, &batch, step, stage))?;
        if (step + 1) % 20 == 0 || step + 1 == steps {
            println!(
                "step {}: {:.3} nats per token, {distance:?} from the experts",
                step + 1,
                seen.losses.cross_entropy
            );
        }
    }
    report.rows.push(source.row("distilled", &student, steps)?);
    let mut alone = Learner { recipe, ..merged };
    learn(&mut alone, &source.corpus, 0..steps, sequences)?;
    report.rows.push(source.row("their mean, learning on without a teacher", &alone, steps)?);
    report.says = format!(
        "The mean of each layer's experts learned {layer_steps} steps what the experts say of the same states, layer by layer \
         (arXiv:1412.6550), then {text_steps} steps from the text and, by a share of {TEACHERS_SHARE}, from what the experts \
         expect (arXiv:1503.02531, arXiv:2101.03961). Beside it the same mean learned as many steps from the text alone."
    );
    report.write(&source, &student, DENSE, steps * sequences * source.num_tokens(), &args.places.out)
}

/// Steps of the recipe, on the batches of its seed.
fn learn(learner: &mut Learner, corpus: &Corpus, steps: std::ops::Range<usize>, sequences: usize) -> Result<()> {
    let num_tokens = learner.config.max_tokens;
    for step in steps.clone() {
        let batch = corpus.training_batch(sequences, num_tokens, learner.recipe.seed, step);
        let seen = pollster::block_on(learner.step(&batch, step))?;
        if (step + 1) % 20 == 0 || step + 1 == steps.end {
            println!("step {}: {:.3} nats per token", step + 1, seen.losses.cross_entropy);
        }
    }
    Ok(())
}

fn kept(learner: &Learner) -> Result<moe_learn::saved::Saved> {
    Ok(pollster::block_on(save(learner))?)
}

/// Held-out bits per byte of each kind of text.
fn measured(what: &str, learner: &Learner, corpus: &Corpus, steps: usize) -> Result<Row> {
    let bits = pollster::block_on(held_out::bits_per_byte(learner, corpus, learner.config.max_tokens))?;
    let domains = corpus.domains.iter().map(|domain| domain.name.clone()).zip(bits).collect();
    let row = Row { what: what.to_owned(), steps, num_parameters: learner.config.num_parameters(), domains };
    println!("{what}, {steps} steps: {:.4} bits per byte", row.mean());
    Ok(row)
}
