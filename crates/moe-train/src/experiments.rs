//! The training lab's experiments over many seeds: mean and 95 % interval of each side, and of their difference, for
//! docs/TRAINING_LAB.md and for the page.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, ensure};
use clap::Args;
use moe_lab::{Lab, device};
use moe_router::metrics;
use moe_trace::RunId;
use moe_trace::experiment::{HEADER, Interval, Measured, PRESETS, PROBE, Preset, grammars, parse};
use moe_trace::training::{TrainCommand, TrainEvent, TrainRequest, TrainStep};

#[derive(Args)]
pub struct ExperimentsArgs {
    /// Trainings of each side, from seed 1 on.
    #[arg(long, default_value_t = 20)]
    pub seeds: u32,
    /// Steps of each.
    #[arg(long, default_value_t = 300)]
    pub steps: u32,
    /// Only this experiment.
    #[arg(long)]
    pub only: Option<String>,
    /// Where the numbers go that the page reads.
    #[arg(long, default_value = "crates/moe-trace/src/experiment/measured.tsv")]
    pub out: PathBuf,
}

/// Steps that "at the end" means, as in the page.
const LATEST: usize = 10;

/// Runs them, writes the numbers, and gives the table of the document.
pub fn run(args: &ExperimentsArgs) -> Result<String> {
    ensure!(args.seeds > 1, "one seed has no interval: give --seeds 2 or more");
    ensure!(args.steps > 0, "--steps is 1 or more");
    let chosen: Vec<&Preset> = match &args.only {
        Some(name) => vec![Preset::of_name(name).with_context(|| {
            let names: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
            format!("there is no experiment {name}; there are {}", names.join(", "))
        })?],
        None => PRESETS.iter().collect(),
    };
    let mut rows = Vec::new();
    for preset in chosen {
        eprintln!("{}: {} seeds of {} steps", preset.name, args.seeds, args.steps);
        rows.extend(measure(preset, args.seeds, args.steps)?);
    }
    // What was measured of other experiments stays.
    let before = fs::read_to_string(&args.out).map(|file| parse(&file)).unwrap_or_default();
    let kept = before.into_iter().filter(|row| !rows.iter().any(|new| new.preset == row.preset));
    let mut all: Vec<Measured> = kept.chain(rows.iter().cloned()).collect();
    all.sort_by_key(|row| PRESETS.iter().position(|preset| preset.name == row.preset));
    let lines: Vec<String> = all.iter().map(Measured::line).collect();
    fs::write(&args.out, format!("{HEADER}\n{}\n", lines.join("\n")))
        .with_context(|| format!("cannot write {}", args.out.display()))?;
    Ok(table(&rows))
}

/// One experiment.
fn measure(preset: &Preset, num_seeds: u32, num_steps: u32) -> Result<Vec<Measured>> {
    // By side, seed after seed, each number by its name.
    let mut found: [Vec<Vec<(&str, f64)>>; 2] = [Vec::new(), Vec::new()];
    for seed in 1..=num_seeds {
        let requests = preset.requests([RunId(1), RunId(2)], seed, &grammars(), PROBE);
        for (found, request) in found.iter_mut().zip(requests) {
            found.push(train(request, num_steps).with_context(|| format!("{}, seed {seed}", preset.name))?);
        }
    }
    let names: Vec<&str> = found[0][0].iter().map(|(name, _)| *name).collect();
    let of = |side: usize, name: &str| -> Option<Vec<f64>> {
        let value = |seed: &Vec<(&str, f64)>| seed.iter().find(|(of, _)| *of == name).map(|(_, value)| *value);
        found[side].iter().map(value).collect()
    };
    let row = |name: &&str| {
        // What only one side has is no comparison.
        let (first, second) = (of(0, name)?, of(1, name)?);
        let difference: Vec<f64> = second.iter().zip(&first).map(|(second, first)| second - first).collect();
        let (preset, what) = (preset.name.to_owned(), (*name).to_owned());
        let estimates = [&first, &second, &difference].map(|samples| interval(samples));
        Some(Measured { preset, what, num_seeds, num_steps, estimates })
    };
    Ok(names.iter().filter_map(row).collect())
}

/// A training from its start to its end: what it was like then.
fn train(request: TrainRequest, num_steps: u32) -> Result<Vec<(&'static str, f64)>> {
    let run = request.run;
    let mut lab = Lab::new(device::cpu());
    let (mut steps, mut snapshots, mut failed) = (Vec::new(), Vec::new(), None);
    let mut tell = |event| match event {
        TrainEvent::Step(step) => steps.push(step),
        TrainEvent::Snapshot(snapshot) => snapshots.push(snapshot),
        TrainEvent::Failed { error, .. } => failed = Some(error),
        _ => {}
    };
    pollster::block_on(async {
        // One snapshot at the end is enough.
        lab.obey(TrainCommand::Start(TrainRequest { snapshot_every: 0, ..request }), &mut tell).await;
        lab.obey(TrainCommand::Step { run, num_steps }, &mut tell).await;
        while lab.is_busy() {
            lab.advance(&|| 0.0, &mut tell).await;
        }
        lab.obey(TrainCommand::Snapshot(run), &mut tell).await;
    });
    if let Some(error) = failed {
        return Err(anyhow!("{error}"));
    }
    let last = snapshots.last().context("there is no snapshot at the end")?;
    let latest: &[TrainStep] = &steps[steps.len().saturating_sub(LATEST)..];
    let spread = f64::from(last.spread.iter().sum::<f32>()) / last.spread.len().max(1) as f64;
    let mut found = vec![("held-out loss, nats per byte", f64::from(last.held_out)), ("spread of the experts", spread)];
    let layers = latest.iter().flat_map(|step| &step.layers);
    let (mut demand, mut served) = (0, 0);
    for layer in layers.clone() {
        demand += layer.demand.iter().sum::<u32>();
        served += layer.load.iter().sum::<u32>();
    }
    if demand > 0 {
        let by_layer = (0..last.spread.len()).map(|layer| of_layer(latest, layer)).collect::<Vec<_>>();
        let share = |demand: &Vec<u32>| {
            f64::from(demand.iter().copied().max().unwrap_or(0)) / f64::from(demand.iter().sum::<u32>().max(1))
        };
        found.push(("busiest expert's share", mean(&by_layer.iter().map(share).collect::<Vec<_>>())));
        let variations: Vec<f64> = by_layer.iter().map(|demand| metrics::demand_cv(demand)).collect();
        found.push(("unevenness (CV)", mean(&variations)));
        found.push(("turned away", f64::from(demand - served) / f64::from(demand)));
    }
    let entropies: Vec<f64> = layers.filter_map(|layer| layer.gate_entropy).map(f64::from).collect();
    if !entropies.is_empty() {
        found.push(("gate entropy, nats", mean(&entropies)));
    }
    Ok(found)
}

/// Requests per expert of a layer, over these steps.
fn of_layer(steps: &[TrainStep], layer: usize) -> Vec<u32> {
    let mut sums: Vec<u32> = Vec::new();
    for demand in steps.iter().filter_map(|step| step.layers.get(layer)).map(|layer| &layer.demand) {
        sums.resize(sums.len().max(demand.len()), 0);
        sums.iter_mut().zip(demand).for_each(|(sum, count)| *sum += count);
    }
    sums
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Two-sided 95 % points of Student's t by degrees of freedom, from 1 on.
const T: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
    2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/// Mean and 95 % interval of the mean, by Student's t.
fn interval(samples: &[f64]) -> Interval {
    let (count, mean) = (samples.len() as f64, mean(samples));
    let variance = samples.iter().map(|sample| (sample - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
    let t = T.get(samples.len().saturating_sub(2)).copied().unwrap_or(1.96);
    let reach = t * (variance / count).sqrt();
    Interval { mean, low: mean - reach, high: mean + reach }
}

/// The table of docs/TRAINING_LAB.md.
fn table(rows: &[Measured]) -> String {
    let mut text =
        "| experiment | what | first | second | second less first |\n| --- | --- | --- | --- | --- |\n".to_owned();
    for Measured { preset, what, estimates, .. } in rows {
        let of = |at: usize| {
            let Interval { mean, low, high } = estimates[at];
            format!("{mean:.3} ({low:.3} to {high:.3})")
        };
        text += &format!("| `{preset}` | {what} | {} | {} | {} |\n", of(0), of(1), of(2));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_students() {
        // Mean 2, deviation 1, three samples: 4.303 / sqrt(3) to either side.
        let Interval { mean, low, high } = interval(&[1.0, 2.0, 3.0]);
        assert!((mean - 2.0).abs() < 1e-12 && (high - low - 2.0 * 4.303 / 3.0f64.sqrt()).abs() < 1e-9, "{low} {high}");
        let even = interval(&[0.5; 20]);
        assert_eq!((even.mean, even.low, even.high), (0.5, 0.5, 0.5));
    }

    #[test]
    fn a_few_steps_of_two_seeds_give_a_table_that_the_page_reads() {
        let out = std::env::temp_dir().join(format!("moe-experiments-{}.tsv", std::process::id()));
        let args = ExperimentsArgs { seeds: 2, steps: 2, only: Some("merging".to_owned()), out: out.clone() };
        let table = run(&args).expect("it is measured");
        let rows = parse(&fs::read_to_string(&out).expect("it was written"));
        fs::remove_file(&out).expect("it was there");
        // SMEAR makes no requests, so of those nothing is compared.
        let names: Vec<&str> = rows.iter().map(|row| row.what.as_str()).collect();
        assert_eq!(names, ["held-out loss, nats per byte", "spread of the experts", "gate entropy, nats"]);
        assert!(rows.iter().all(|row| (row.num_seeds, row.num_steps) == (2, 2) && row.preset == "merging"));
        assert_eq!(table.lines().count(), 2 + rows.len());
        let error = |only: &str, seeds| {
            let args = ExperimentsArgs { seeds, steps: 1, only: Some(only.to_owned()), out: out.clone() };
            run(&args).expect_err("it is refused").to_string()
        };
        assert!(error("sums", 2).contains("collapse, choices, room"));
        assert!(error("collapse", 1).contains("--seeds 2"));
    }
}
