//! Training runs: by a file, resumable, with a log a plot can be made of. What a step does is `moe-learn`'s.

pub mod checkpoint;
pub mod data;
pub mod device;
mod first;
pub mod history;
pub mod log;
pub mod peer;
pub mod progress;
pub mod run_file;
pub mod speed;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use burn::tensor::Device;
use clap::Args;
use moe_learn::{Corpus, Learner, Step, held_out};

use checkpoint::SavedState;
use device::DeviceChoice;
use first::First;
use history::History;
use log::{Log, Sums};
use progress::Progress;
use run_file::RunFile;

#[derive(Args, Debug, Clone)]
pub struct TrainArgs {
    /// The run, a TOML file.
    #[arg(default_value = "crates/moe-train/runs/default.toml")]
    pub run: PathBuf,
    /// Folder that `prepare` wrote.
    #[arg(long, default_value = "data")]
    pub data: PathBuf,
    /// Folder of all runs; checkpoints and log go to one of the run's name, and training goes on from what it holds.
    #[arg(long, default_value = "runs")]
    pub out: PathBuf,
    /// Folder of exported models: a run that goes on from another one begins with that one's, where its run is not in `out`.
    #[arg(long, default_value = "www/site/models")]
    pub models: PathBuf,
    /// Stop after this many minutes, with a checkpoint.
    #[arg(long)]
    pub minutes: Option<f64>,
    /// Where to compute.
    #[arg(long, default_value = "cpu")]
    pub device: DeviceChoice,
}

/// Trains until all steps are done or the time is up.
pub fn run(args: &TrainArgs) -> Result<()> {
    let run = RunFile::read(&args.run)?;
    let corpus = data::open(&args.data, &run.training.domains)?;
    corpus.ensure_windows_of(run.model.max_tokens)?;
    let turns = data::open(&args.data, run.turns())?;
    let folder = args.out.join(&run.name);
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let first = run.start_from.as_ref().map(|name| First::find(name, &args.out, &args.models)).transpose()?;
    let mut training = Training::open(run, &corpus, &folder, first, args.device.init()?)?;
    let out_of_time = |progress: &Progress| args.minutes.is_some_and(|minutes| progress.minutes() > minutes);
    training.go_on(&corpus, &turns, &out_of_time)
}

/// A run under way.
struct Training {
    state: SavedState,
    learner: Learner,
    folder: PathBuf,
    log: Log,
    history: Option<History>,
}

impl Training {
    /// Goes on from the folder's checkpoint, or begins, with the weights of `first` if it is given.
    fn open(run: RunFile, corpus: &Corpus, folder: &Path, first: Option<First>, device: Device) -> Result<Training> {
        let config = run.config(corpus.vocab_size);
        let mut learner = Learner::new(config, run.routing()?, run.recipe(), device.clone())?;
        let state = match checkpoint::read_state(folder)? {
            Some(state) => {
                ensure!(
                    state.run.trains_as(&run),
                    "{} holds a run of other settings; give the run another name or remove the folder",
                    folder.display()
                );
                println!("going on from step {}", state.step);
                learner.weights = checkpoint::load_weights(folder, state.step, learner.weights.clone())?;
                learner.optimizer = checkpoint::load_optimizer(folder, state.step, &learner.optimizer)?;
                SavedState { run, ..state }
            }
            None => {
                let started_from = first.as_ref().map(First::weights_sha256).transpose()?;
                if let Some(first) = first {
                    first.begin(&mut learner, &device)?;
                }
                SavedState {
                    step: 0,
                    vocab_size: corpus.vocab_size,
                    run,
                    started_from,
                    sums: Sums::default(),
                    minutes: 0.0,
                }
            }
        };
        let log = Log::open(folder.join("log.csv"), state.step, &corpus.domain_names(), &learner.config)?;
        let history = (state.run.training.history > 0).then(|| History::open(folder, state.step)).transpose()?;
        Ok(Training { state, learner, folder: folder.to_owned(), log, history })
    }

    /// Step after step, until all are done or there is no more time. `turns`: the kinds of text in the order in which
    /// they are learned; `corpus`: each once, as they are measured.
    fn go_on(&mut self, corpus: &Corpus, turns: &Corpus, out_of_time: &dyn Fn(&Progress) -> bool) -> Result<()> {
        let run_file::Training { steps, sequences, tokens, checkpoint_every, .. } = self.state.run.training;
        println!("{} parameters, {steps} steps of {} tokens", self.learner.config.num_parameters(), sequences * tokens);
        let moments = self.state.run.moments();
        let minutes_before = self.state.minutes;
        let mut progress = Progress::new(self.state.step, steps, sequences * tokens);
        if self.state.step == 0 && moments.contains(&0) {
            self.keep_moment(corpus)?;
        }
        while self.state.step < steps {
            let seen = self.step(turns)?;
            progress.step(self.state.step, &seen);
            if moments.contains(&self.state.step) {
                self.keep_moment(corpus)?;
            }
            let is_row = self.state.step.is_multiple_of(checkpoint_every) || self.state.step == steps;
            let is_last = out_of_time(&progress);
            if is_row {
                let bits = pollster::block_on(held_out::bits_per_byte(&self.learner, corpus, tokens))?;
                let row = self.log.write(self.state.step, &std::mem::take(&mut self.state.sums), &bits)?;
                print!("{row}");
            }
            if is_row || is_last {
                self.state.minutes = minutes_before + progress.minutes();
                checkpoint::save(&self.folder, &self.state, self.learner.weights.clone(), &self.learner.optimizer)?;
            }
            if is_last && self.state.step < steps {
                println!("time is up at step {}; the same command goes on", self.state.step);
                break;
            }
        }
        Ok(())
    }

    /// The next optimiser step.
    fn step(&mut self, turns: &Corpus) -> Result<Step> {
        let run = &self.state.run;
        let (seed, step) = (run.seed, self.state.step);
        let batch = turns.training_batch(run.training.sequences, run.training.tokens, seed, step);
        let seen = pollster::block_on(self.learner.step(&batch, step))?;
        self.state.step += 1;
        self.state.sums.add(&seen);
        Ok(seen)
    }

    fn keep_moment(&self, corpus: &Corpus) -> Result<()> {
        let Some(history) = &self.history else { return Ok(()) };
        history.add(&history::moment(&self.learner, self.state.step, corpus)?)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use moe_router::metrics;

    use super::*;

    /// An empty folder with a corpus of one domain, `text`, of 48 ids that repeat.
    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("moe-train-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        for (part, len) in [("train", 600), ("valid", 200)] {
            fs::create_dir_all(folder.join(part)).expect("a temporary folder can be made");
            let ids = (0..len).flat_map(|at: u32| ((at * at % 48) as u16).to_le_bytes());
            fs::write(folder.join(part).join("text.bin"), ids.collect::<Vec<u8>>()).expect("it can be written");
        }
        let manifest = r#"{"vocabulary": 48, "domains": [{"name": "text", "valid": {"text_bytes": 400}}]}"#;
        fs::write(folder.join("manifest.json"), manifest).expect("it can be written");
        folder
    }

    /// Trains `toml` in `folder/out`, at most `steps` steps in this sitting.
    fn train(folder: &Path, out: &str, toml: &str, steps: usize) -> Result<Training> {
        let run: RunFile = toml::from_str(toml)?;
        let corpus = data::open(folder, &run.training.domains)?;
        let out = folder.join(out);
        fs::create_dir_all(&out)?;
        let mut training = Training::open(run, &corpus, &out, None, Device::flex())?;
        let left = std::cell::Cell::new(steps);
        training.go_on(&corpus, &corpus, &|_| {
            left.set(left.get() - 1);
            left.get() == 0
        })?;
        Ok(training)
    }

    fn text(folder: &Path, file: &str) -> String {
        fs::read_to_string(folder.join(file)).expect("the run wrote it")
    }

    #[test]
    fn a_run_gives_the_same_bytes_again_and_also_when_it_was_cut_off() {
        let folder = folder("again");
        let whole = train(&folder, "a", run_file::tests::TINY, 100).expect("it trains");
        train(&folder, "b", run_file::tests::TINY, 100).expect("it trains");
        for steps in [2, 3, 100] {
            train(&folder, "c", run_file::tests::TINY, steps).expect("it goes on");
        }
        for file in ["log.csv", "history.jsonl"] {
            let first = text(&folder, &format!("a/{file}"));
            assert_eq!(first.lines().count(), 3);
            assert_eq!(first, text(&folder, &format!("b/{file}")));
            assert_eq!(first, text(&folder, &format!("c/{file}")));
        }
        assert_eq!(whole.state.step, 6);
        fs::remove_dir_all(folder).expect("it can be removed");
    }

    #[test]
    fn training_learns_and_a_selection_bias_evens_demand_out() {
        let folder = folder("learns");
        let last_row = |name: &str, bias_step: &str| {
            let toml = run_file::tests::TINY
                .replace("top_k:2", "deepseek:k=2")
                .replace("balance = 1e-2\nz = 1e-3", &format!("balance = 0.0\nz = 0.0\n{bias_step}"))
                .replace("steps = 6", "steps = 60");
            train(&folder, name, &toml, 1000).expect("it trains");
            let log = text(&folder, &format!("{name}/log.csv"));
            let losses = log.lines().skip(1).map(|row| row.split(',').nth(1)?.parse::<f64>().ok());
            let losses: Vec<f64> = losses.collect::<Option<_>>().expect("every row has a loss");
            assert!(losses[losses.len() - 1] < losses[0] - 0.5, "{losses:?}");
            log::Row::last(&folder.join(name).join("log.csv")).expect("a log").expect("with rows")
        };
        let variation = |row: &log::Row| -> f64 { row.demand.iter().map(|of| metrics::demand_cv(of)).sum() };
        let (with, without) = (last_row("with", "bias_step = 0.01"), last_row("without", ""));
        assert!(variation(&with) < 0.7 * variation(&without), "{with}\n{without}");
        fs::remove_dir_all(folder).expect("it can be removed");
    }

    #[test]
    fn a_folder_of_another_run_is_left_alone() {
        let folder = folder("other");
        train(&folder, "run", run_file::tests::TINY, 1).expect("it trains");
        let other = run_file::tests::TINY.replace("seed = 3", "seed = 4");
        let Err(error) = train(&folder, "run", &other, 1) else { panic!("it trained") };
        assert!(error.to_string().contains("other settings"), "{error}");
        fs::remove_dir_all(folder).expect("it can be removed");
    }
}
