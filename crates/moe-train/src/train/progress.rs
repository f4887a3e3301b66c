//! Where training stands: a line every so many steps, and `progress`, which reads it from a run's files, also while
//! another process trains.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Args;
use moe_learn::Step;

use super::checkpoint;
use super::log::{Row, Sums};

#[derive(Args, Debug, Clone)]
pub struct ProgressArgs {
    /// Folders of runs; all of `runs` if none is named.
    pub runs: Vec<PathBuf>,
}

/// Prints for every run: step, losses, held-out bits per byte, load per expert, time left; as of its last checkpoint.
pub fn run(args: &ProgressArgs) -> Result<()> {
    let runs = if args.runs.is_empty() { runs_below(Path::new("runs"))? } else { args.runs.clone() };
    ensure!(!runs.is_empty(), "no run in `runs` has a checkpoint yet; train one, or name its folder");
    for folder in runs {
        println!("{}", report(&folder)?);
    }
    Ok(())
}

/// The folders in `parent` that hold a checkpoint, by name.
fn runs_below(parent: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(parent).with_context(|| format!("cannot read {}", parent.display()))?;
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    folders.retain(|folder| folder.join("state.json").exists());
    folders.sort();
    Ok(folders)
}

fn report(folder: &Path) -> Result<String> {
    let state = checkpoint::expect_state(folder)?;
    let steps = state.run.training.steps;
    let left = match steps - state.step {
        0 => "done".to_owned(),
        left => format!("{:.0} min left", state.minutes / state.step.max(1) as f64 * left as f64),
    };
    let head = format!(
        "{} ({}): step {} of {steps} after {:.0} min, {left}\n",
        state.run.name, state.run.title, state.step, state.minutes
    );
    let row = Row::last(&folder.join("log.csv"))?;
    Ok(head + &row.map_or_else(|| "  nothing logged yet\n".to_owned(), |row| row.to_string()))
}

/// What the screen shows of the run of this process.
pub struct Progress {
    sums: Sums,
    start: Instant,
    first_step: usize,
    num_steps: usize,
    tokens_per_step: usize,
}

impl Progress {
    pub fn new(first_step: usize, num_steps: usize, tokens_per_step: usize) -> Progress {
        Progress { sums: Sums::default(), start: Instant::now(), first_step, num_steps, tokens_per_step }
    }

    pub fn minutes(&self) -> f64 {
        self.start.elapsed().as_secs_f64() / 60.0
    }

    /// Prints a line every so many steps: losses, what is lost, speed, time left.
    pub fn step(&mut self, step: usize, seen: &Step) {
        self.sums.add(seen);
        if !step.is_multiple_of(20) && step < self.num_steps {
            return;
        }
        let [cross_entropy, balance, z, lost] = std::mem::take(&mut self.sums).means();
        let minutes_per_step = self.minutes() / (step - self.first_step) as f64;
        println!(
            "step {step}/{}  loss {cross_entropy:.4}  balance {balance:.3}  z {z:.2}  lost {:.1} %  {:.0} tokens/s  \
             {:.0} min left",
            self.num_steps,
            100.0 * lost,
            self.tokens_per_step as f64 / minutes_per_step / 60.0,
            minutes_per_step * (self.num_steps - step) as f64,
        );
    }
}
