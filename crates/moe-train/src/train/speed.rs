//! How fast training is: only the experts that were asked, grouped, beside the dense form, in which every expert computes
//! every token.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, ensure};
use clap::Args;
use moe_learn::{Batch, Learner};
use moe_model::reference::Rule;
use moe_router::draws::SplitMix64;
use moe_trace::{Overflow, RouterSpec, RoutingSpec};

use super::device::DeviceChoice;
use super::peer;
use super::run_file::RunFile;

/// Of the shipped tokenizer; what the tokens say is of no matter here.
const VOCABULARY: usize = 1024;

#[derive(Args, Debug, Clone)]
pub struct SpeedArgs {
    /// The run, a TOML file.
    #[arg(default_value = "crates/moe-train/runs/default.toml")]
    pub run: PathBuf,
    /// Steps of each form, which take turns.
    #[arg(long, default_value_t = 9)]
    pub rounds: usize,
    /// Where to compute.
    #[arg(long, default_value = "cpu")]
    pub device: DeviceChoice,
    /// Beside PyTorch on the CPU, on one thread and on two, where the python3 of the search path has it.
    #[arg(long)]
    pub peer: bool,
}

pub fn run(args: &SpeedArgs) -> Result<()> {
    ensure!(args.rounds > 0, "rounds is at least 1");
    let run = RunFile::read(&args.run)?;
    let learner = || -> Result<Learner> {
        Ok(Learner::new(run.config(VOCABULARY), run.routing()?, run.recipe(), args.device.init()?)?)
    };
    let (grouped, mut dense) = (learner()?, learner()?);
    let all = RoutingSpec { router: RouterSpec::Dense, overflow: Overflow::Dropless };
    dense.rule = Rule::new(all, dense.config.num_experts)?;
    let mut learners = [grouped, dense];
    let mut speeds = [const { Vec::new() }; 2];
    for round in 0..=args.rounds {
        let batch = random_batch(&run, round as u64);
        for (learner, speeds) in learners.iter_mut().zip(&mut speeds) {
            let start = Instant::now();
            pollster::block_on(learner.step(&batch, round))?;
            speeds.push(batch.ids.len() as f64 / start.elapsed().as_secs_f64());
        }
    }
    println!("| {} rounds, tokens/s | median | slowest | fastest |", args.rounds);
    println!("| --- | ---: | ---: | ---: |");
    let medians = [format!("`{}`, grouped", run.routing.rule), "all experts for every token".to_owned()]
        .iter()
        .zip(&mut speeds)
        .map(|(name, speeds)| {
            // The first step makes what later ones reuse.
            speeds.remove(0);
            speeds.sort_by(f64::total_cmp);
            let median = speeds[speeds.len() / 2];
            println!("| {name} | {median:.0} | {:.0} | {:.0} |", speeds[0], speeds[speeds.len() - 1]);
            median
        })
        .collect::<Vec<f64>>();
    println!("\ngrouped is {:.2} times as fast", medians[0] / medians[1]);
    if args.peer { beside_peer(&run, args.rounds, medians[0]) } else { Ok(()) }
}

/// The same steps in PyTorch. `ours`: tokens a second, grouped, on as many threads as this process has.
fn beside_peer(run: &RunFile, rounds: usize, ours: f64) -> Result<()> {
    if !peer::is_there() {
        println!("\n{}", peer::MISSING);
        return Ok(());
    }
    let threads = std::env::var("RAYON_NUM_THREADS").unwrap_or_else(|_| "all".to_owned());
    println!("\n| tokens/s | median | ours ({threads} threads) to it |\n| --- | ---: | ---: |");
    for threads in [1, 2] {
        let mut found = peer::run(run, VOCABULARY, rounds, threads)?;
        ensure!(!found.tokens_per_second.is_empty(), "it measured nothing");
        found.tokens_per_second.sort_by(f64::total_cmp);
        let median = found.tokens_per_second[found.tokens_per_second.len() / 2];
        println!("| PyTorch {}, {threads} threads | {median:.0} | {:.2} |", found.torch, ours / median);
    }
    Ok(())
}

fn random_batch(run: &RunFile, seed: u64) -> Batch {
    let num_tokens = run.training.tokens;
    let mut random = SplitMix64::new(seed);
    let mut window = || (0..=num_tokens).map(|_| (random.u64() % VOCABULARY as u64) as u16).collect::<Vec<u16>>();
    let windows: Vec<Vec<u16>> = (0..run.training.sequences).map(|_| window()).collect();
    Batch::new(windows.iter().map(Vec::as_slice), num_tokens)
}
