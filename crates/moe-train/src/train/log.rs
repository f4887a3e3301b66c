//! Progress on the screen, and a CSV file with losses, held-out bits per byte and load per expert.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use moe_model::ModelConfig;
use moe_model::reference::Forward;

use super::loss::Losses;

/// Means since the last print, and the demand of the latest step.
#[derive(Default)]
pub struct Window {
    num_steps: usize,
    num_tokens: usize,
    cross_entropy: f64,
    balance: f64,
    z: f64,
    requests: usize,
    lost: usize,
    /// Demand per layer and expert in the latest step.
    demand: Vec<Vec<usize>>,
    /// The means as last printed.
    printed: [f64; 4],
}

impl Window {
    pub fn add(&mut self, losses: &Losses, forward: &Forward, num_tokens: usize) {
        self.num_steps += 1;
        self.num_tokens += num_tokens;
        let scalar = |tensor: &burn::tensor::Tensor<1>| f64::from(tensor.clone().into_scalar::<f32>());
        self.cross_entropy += scalar(&losses.cross_entropy);
        self.balance += scalar(&losses.balance);
        self.z += scalar(&losses.z);
        self.demand.clear();
        for layer in &forward.layers {
            let num_experts = layer.routings.first().map_or(0, |routing| routing.num_experts as usize);
            let mut demand = vec![0; num_experts];
            for a in layer.routings.iter().flat_map(|routing| &routing.assignments).filter(|a| a.fate.is_demand()) {
                demand[a.expert.index()] += 1;
                self.requests += 1;
                self.lost += usize::from(!a.fate.is_kept());
            }
            self.demand.push(demand);
        }
    }

    /// One line: losses, what is lost, speed, time left.
    pub fn print(&mut self, step: usize, steps: usize, start: Instant, first_step: usize) {
        let mean = |sum: f64| sum / self.num_steps.max(1) as f64;
        let lost = self.lost as f64 / self.requests.max(1) as f64;
        self.printed = [mean(self.cross_entropy), mean(self.balance), mean(self.z), lost];
        let [cross_entropy, balance, z, lost] = self.printed;
        let elapsed = start.elapsed().as_secs_f64();
        let per_step = elapsed / (step - first_step) as f64;
        let tokens_per_step = self.num_tokens as f64 / self.num_steps.max(1) as f64;
        println!(
            "step {step}/{steps}  loss {cross_entropy:.4}  balance {balance:.3}  z {z:.2}  lost {:.1} %  \
             {:.0} tokens/s  {:.0} min left",
            100.0 * lost,
            tokens_per_step / per_step,
            per_step * (steps - step) as f64 / 60.0,
        );
        let demand = std::mem::take(&mut self.demand);
        *self = Window { demand, printed: self.printed, ..Window::default() };
    }
}

pub struct Log(File);

impl Log {
    /// Appends to the file; a new one starts with the names of its columns.
    pub fn open(path: &Path, domains: &[&str], config: &ModelConfig) -> Result<Log> {
        let is_new = !path.exists();
        let file = OpenOptions::new().create(true).append(true).open(path);
        let mut file = file.with_context(|| format!("cannot write {}", path.display()))?;
        if is_new {
            let mut columns: Vec<String> = ["step", "loss", "balance", "z", "lost"].map(str::to_owned).to_vec();
            columns.extend(domains.iter().map(|domain| format!("bits_per_byte_{domain}")));
            for layer in 0..config.num_layers {
                columns.extend((0..config.num_experts).map(|expert| format!("demand_{layer}_{expert}")));
            }
            writeln!(file, "{}", columns.join(","))?;
        }
        Ok(Log(file))
    }

    pub fn write(&mut self, step: usize, window: &Window, bits_per_byte: &[f64]) -> Result<()> {
        let mut fields = vec![step.to_string()];
        fields.extend(window.printed.iter().map(|mean| format!("{mean:.5}")));
        fields.extend(bits_per_byte.iter().map(|bits| format!("{bits:.4}")));
        fields.extend(window.demand.iter().flatten().map(usize::to_string));
        writeln!(self.0, "{}", fields.join(","))?;
        println!("held-out bits per byte: {bits_per_byte:.3?}");
        Ok(())
    }
}
