//! Native work on models: prepare the corpus, train, evaluate, export, record golden runs.

mod prepare;
mod quality;
mod train;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Prepare a corpus, train a Mixture-of-Experts model on it, and export it for the page")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train a model; goes on where a previous run in the same folder stopped.
    Train(train::TrainArgs),
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Train(args) => train::run(&args),
    }
}
