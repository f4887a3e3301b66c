//! Progress on the screen, and a CSV file with losses, held-out bits per byte and load per expert.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use moe_model::ModelConfig;
use moe_model::reference::Forward;
use serde::{Deserialize, Serialize};

use super::loss::Losses;

/// Sums over some steps. Part of a checkpoint, so that a resumed run writes the rows of an uninterrupted one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    num_steps: usize,
    cross_entropy: f64,
    balance: f64,
    z: f64,
    requests: usize,
    lost: usize,
    /// Requests per layer and expert.
    demand: Vec<Vec<usize>>,
}

impl Sums {
    pub fn add(&mut self, losses: &Losses, forward: &Forward) {
        self.num_steps += 1;
        let scalar = |tensor: &burn::tensor::Tensor<1>| f64::from(tensor.clone().into_scalar::<f32>());
        self.cross_entropy += scalar(&losses.cross_entropy);
        self.balance += scalar(&losses.balance);
        self.z += scalar(&losses.z);
        self.demand.resize_with(forward.layers.len(), Vec::new);
        for (layer, demand) in forward.layers.iter().zip(&mut self.demand) {
            let num_experts = layer.routings.first().map_or(0, |routing| routing.num_experts as usize);
            demand.resize(num_experts, 0);
            for a in layer.routings.iter().flat_map(|routing| &routing.assignments).filter(|a| a.fate.is_demand()) {
                demand[a.expert.index()] += 1;
                self.requests += 1;
                self.lost += usize::from(!a.fate.is_kept());
            }
        }
    }

    /// Mean cross-entropy in nats, balance loss, z-loss, share of requests that lost.
    fn means(&self) -> [f64; 4] {
        let mean = |sum: f64| sum / self.num_steps.max(1) as f64;
        let lost = self.lost as f64 / self.requests.max(1) as f64;
        [mean(self.cross_entropy), mean(self.balance), mean(self.z), lost]
    }
}

/// What the screen shows of a run under way.
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
    pub fn step(&mut self, step: usize, losses: &Losses, forward: &Forward) {
        self.sums.add(losses, forward);
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

/// `log.csv` of a run.
pub struct Log {
    path: PathBuf,
}

impl Log {
    /// A new log starts with the names of its columns. Rows after `step`, of a run that was cut off after writing them,
    /// are taken back: they come again.
    pub fn open(path: PathBuf, step: usize, domains: &[&str], config: &ModelConfig) -> Result<Log> {
        let mut columns: Vec<String> = ["step", "loss", "balance", "z", "lost"].map(str::to_owned).to_vec();
        columns.extend(domains.iter().map(|domain| format!("bits_per_byte_{domain}")));
        for layer in 0..config.num_layers {
            columns.extend((0..config.num_experts).map(|expert| format!("demand_{layer}_{expert}")));
        }
        let known = if step > 0 { read_rows(&path, step)? } else { String::new() };
        let text = columns.join(",") + "\n" + &known;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Log { path })
    }

    /// A row: means since the last one, held-out bits per byte, demand since the last one.
    pub fn write(&self, step: usize, sums: &Sums, bits_per_byte: &[f64]) -> Result<()> {
        let mut fields = vec![step.to_string()];
        fields.extend(sums.means().iter().map(|mean| format!("{mean:.5}")));
        fields.extend(bits_per_byte.iter().map(|bits| format!("{bits:.4}")));
        fields.extend(sums.demand.iter().flatten().map(usize::to_string));
        let mut file = OpenOptions::new().append(true).open(&self.path)?;
        writeln!(file, "{}", fields.join(",")).with_context(|| format!("cannot write {}", self.path.display()))?;
        println!("held-out bits per byte: {bits_per_byte:.3?}");
        Ok(())
    }
}

/// The rows up to a step, without the columns' names.
fn read_rows(path: &Path, step: usize) -> Result<String> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let step_of = |row: &str| row.split(',').next().and_then(|step| step.parse::<usize>().ok());
    let rows = text.lines().skip(1).filter(|row| step_of(row).is_some_and(|of_row| of_row <= step));
    Ok(rows.map(|row| format!("{row}\n")).collect())
}
