//! From a run file to a model and its scores in one go, for models of which nothing is shown but figures.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;

use crate::evaluate::{self, EvaluateArgs, Evaluation};
use crate::export::{self, ExportArgs};
use crate::site_model::SiteModel;
use crate::train::device::DeviceChoice;
use crate::train::run_file::RunFile;
use crate::train::{self, TrainArgs};

#[derive(Args, Debug, Clone)]
pub struct Workshop {
    /// Folder that `prepare` wrote.
    #[arg(long, default_value = "data")]
    pub data: PathBuf,
    /// Folder of all runs; what was begun there goes on.
    #[arg(long, default_value = "runs")]
    pub out: PathBuf,
    /// Where to compute.
    #[arg(long, default_value = "cpu")]
    pub device: DeviceChoice,
}

impl Workshop {
    /// Trains, or goes on where it was left, and scores: on so many windows of each kind of text, or on all.
    pub fn train_and_score(&self, mut run: RunFile, windows: Option<usize>) -> Result<(SiteModel, Evaluation)> {
        run.training.history = 0;
        let Workshop { data, out, device } = self.clone();
        fs::create_dir_all(&out).with_context(|| format!("cannot make the folder {}", out.display()))?;
        let file = out.join(format!("{}.toml", run.name));
        fs::write(&file, toml::to_string(&run)?)?;
        let models = out.join("exported");
        let args = TrainArgs {
            run: file,
            data: data.clone(),
            out: out.clone(),
            models: models.clone(),
            minutes: None,
            device,
        };
        train::run(&args)?;
        export::run(&ExportArgs { run: out.join(&run.name), data: data.clone(), out: models.clone(), machine: None })?;
        let names = vec![run.name.clone()];
        let runs = no_runs(&out);
        evaluate::run(&EvaluateArgs { names, models: models.clone(), data, runs, windows, device })?;
        let model = SiteModel::open(&models.join(&run.name))?;
        let evaluation = Evaluation::read(&model)?.context("the evaluation was not written")?;
        Ok((model, evaluation))
    }
}

/// What 8 bits cost is measured on shipped models alone.
fn no_runs(out: &Path) -> PathBuf {
    out.join("none")
}
