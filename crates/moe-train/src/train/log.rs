//! The log of a run: a CSV file with losses, held-out bits per byte and demand per expert.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use moe_learn::Step;
use moe_model::ModelConfig;
use moe_router::metrics;
use serde::{Deserialize, Serialize};

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
    pub fn add(&mut self, step: &Step) {
        self.num_steps += 1;
        self.cross_entropy += f64::from(step.losses.cross_entropy);
        // As `RunFile::recipe` orders them.
        self.balance += f64::from(step.losses.auxiliary[0]);
        self.z += f64::from(step.losses.auxiliary[1]);
        self.demand.resize_with(step.forward.layers.len(), Vec::new);
        for (layer, demand) in step.forward.layers.iter().zip(&mut self.demand) {
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
    pub fn means(&self) -> [f64; 4] {
        let mean = |sum: f64| sum / self.num_steps.max(1) as f64;
        let lost = self.lost as f64 / self.requests.max(1) as f64;
        [mean(self.cross_entropy), mean(self.balance), mean(self.z), lost]
    }
}

/// `log.csv` of a run.
pub struct Log {
    path: PathBuf,
    columns: String,
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
        let columns = columns.join(",");
        fs::write(&path, format!("{columns}\n{known}")).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Log { path, columns })
    }

    /// Writes a row: means since the last one, held-out bits per byte, demand since the last one.
    pub fn write(&self, step: usize, sums: &Sums, bits_per_byte: &[f64]) -> Result<Row> {
        let mut fields = vec![step.to_string()];
        fields.extend(sums.means().iter().map(|mean| format!("{mean:.5}")));
        fields.extend(bits_per_byte.iter().map(|bits| format!("{bits:.4}")));
        fields.extend(sums.demand.iter().flatten().map(usize::to_string));
        let mut file = OpenOptions::new().append(true).open(&self.path)?;
        let row = fields.join(",");
        writeln!(file, "{row}").with_context(|| format!("cannot write {}", self.path.display()))?;
        Row::parse(&self.columns, &row).with_context(|| format!("the log has no columns for the row {row}"))
    }
}

/// The rows up to a step, without the columns' names.
fn read_rows(path: &Path, step: usize) -> Result<String> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let step_of = |row: &str| row.split(',').next().and_then(|step| step.parse::<usize>().ok());
    let rows = text.lines().skip(1).filter(|row| step_of(row).is_some_and(|of_row| of_row <= step));
    Ok(rows.map(|row| format!("{row}\n")).collect())
}

/// A row of a log, as `Log` writes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub step: usize,
    /// As [`Sums::means`].
    pub means: [f64; 4],
    /// Held-out, by domain.
    pub bits_per_byte: Vec<(String, f64)>,
    /// Requests per layer and expert since the row before.
    pub demand: Vec<Vec<u32>>,
}

impl Row {
    /// The last row, if there is one.
    pub fn last(path: &Path) -> Result<Option<Row>> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut lines = text.lines();
        let columns = lines.next().unwrap_or_default();
        let row = lines.next_back().map(|row| Row::parse(columns, row));
        row.map(|row| row.with_context(|| format!("{} is not the log of a run", path.display()))).transpose()
    }

    fn parse(columns: &str, row: &str) -> Option<Row> {
        let mut values = row.split(',');
        let step = values.next()?.parse().ok()?;
        let mut means = [0.0; 4];
        for mean in &mut means {
            *mean = values.next()?.parse().ok()?;
        }
        let (mut bits_per_byte, mut demand) = (Vec::new(), Vec::<Vec<u32>>::new());
        for (column, value) in columns.split(',').skip(1 + means.len()).zip(values) {
            if let Some(domain) = column.strip_prefix("bits_per_byte_") {
                bits_per_byte.push((domain.to_owned(), value.parse().ok()?));
            } else {
                let (layer, _) = column.strip_prefix("demand_")?.split_once('_')?;
                let layer: usize = layer.parse().ok()?;
                demand.resize_with(demand.len().max(layer + 1), Vec::new);
                demand[layer].push(value.parse().ok()?);
            }
        }
        Some(Row { step, means, bits_per_byte, demand })
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let [cross_entropy, balance, z, lost] = self.means;
        let lost = 100.0 * lost;
        let step = self.step;
        writeln!(
            f,
            "  up to step {step}: loss {cross_entropy:.4}, balance {balance:.3}, z {z:.2}, {lost:.1} % of requests lost"
        )?;
        let bits: Vec<String> = self.bits_per_byte.iter().map(|(domain, bits)| format!("{domain} {bits:.3}")).collect();
        writeln!(f, "  held-out bits per byte: {}", bits.join(", "))?;
        for (layer, demand) in self.demand.iter().enumerate().filter(|(_, demand)| demand.len() > 1) {
            let mean = f64::from(demand.iter().sum::<u32>()) / demand.len() as f64;
            let shares: Vec<String> =
                demand.iter().map(|demand| format!("{:.2}", f64::from(*demand) / mean.max(1.0))).collect();
            let cv = metrics::demand_cv(demand);
            writeln!(f, "  layer {layer}, demand of each expert over the mean: {} (CV {cv:.2})", shares.join(" "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &str = "step,loss,balance,z,lost,bits_per_byte_prose,bits_per_byte_json,demand_0_0,demand_0_1";

    #[test]
    fn a_row_is_read_as_it_was_written() {
        let row = Row::parse(COLUMNS, "200,3.5,1.1,2.25,0.125,2.5,0.75,30,10").expect("it is a row");
        assert_eq!(row.step, 200);
        assert_eq!(row.means, [3.5, 1.1, 2.25, 0.125]);
        assert_eq!(row.bits_per_byte, [("prose".to_owned(), 2.5), ("json".to_owned(), 0.75)]);
        assert_eq!(row.demand, [[30, 10]]);
        let text = row.to_string();
        for part in ["12.5 % of requests lost", "prose 2.500, json 0.750", "layer 0", "1.50 0.50 (CV 0.50)"] {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
    }

    #[test]
    fn what_is_no_row_is_refused() {
        for row in ["", "200", "200,3.5,1.1,2.25,a,2.5,0.75,30,10", "200,3.5,1.1,2.25,0.1,2.5,0.75,30,-1"] {
            assert_eq!(Row::parse(COLUMNS, row), None, "{row}");
        }
        assert_eq!(Row::parse("step,loss,balance,z,lost,colour", "1,1,1,1,1,1"), None);
    }
}
