//! A run again under other seeds: how far its figures move where nothing but chance differs. `seeds.json` beside a model
//! has them, so that a card can tell a difference from noise.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::evaluate::{self, EvaluateArgs, Evaluation};
use crate::export::{self, ExportArgs};
use crate::site_model::SiteModel;
use crate::train::device::DeviceChoice;
use crate::train::run_file::RunFile;
use crate::train::{self, TrainArgs};

/// Its name beside the manifest.
const FILE: &str = "seeds.json";

#[derive(Args, Debug, Clone)]
pub struct SeedsArgs {
    /// Names of models.
    #[arg(required = true)]
    pub names: Vec<String>,
    /// Seeds; those that were measured before are left as they are.
    #[arg(long, value_delimiter = ',', default_values_t = [2, 3])]
    pub seeds: Vec<u64>,
    /// Folder of all models; the runs are theirs but for the seed.
    #[arg(long, default_value = "www/site/models")]
    pub models: PathBuf,
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

/// What one seed came to, scored like the model itself. Means over the kinds of text and, of the load, over layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OtherSeed {
    pub seed: u64,
    /// Routed as in training.
    pub bits_per_byte: f64,
    /// Share of requests turned away.
    pub lost: f64,
    /// Coefficient of variation of the experts' demand.
    pub load_cv: f64,
    /// The weights as exported, SHA-256.
    pub weights_sha256: String,
}

impl OtherSeed {
    /// All that were measured of a model.
    pub fn read(model: &SiteModel) -> Result<Vec<OtherSeed>> {
        Ok(model.json(FILE)?.unwrap_or_default())
    }
}

/// Trains, scores and writes down what is not known yet, a seed after another.
pub fn run(args: &SeedsArgs) -> Result<()> {
    for name in &args.names {
        let model = SiteModel::open(&args.models.join(name))?;
        let run = model.run()?;
        ensure!(run.start_from.is_none(), "{name} goes on from another run; only what begins at random has seeds");
        let own = Evaluation::read(&model)?.with_context(|| format!("{name} has no evaluation to compare with"))?;
        let mut known = OtherSeed::read(&model)?;
        for &seed in args.seeds.iter().filter(|&&seed| seed != run.seed) {
            if known.iter().any(|other| other.seed == seed) {
                continue;
            }
            let other =
                of_seed(args, RunFile { name: format!("{name}-seed-{seed}"), seed, ..run.clone() }, own.windows)?;
            println!("{name}, seed {seed}: {:.3} bits per byte, {:.1} % lost", other.bits_per_byte, 100.0 * other.lost);
            known.push(other);
            known.sort_by_key(|other| other.seed);
            fs::write(model.folder.join(FILE), serde_json::to_string_pretty(&known)? + "\n")?;
        }
    }
    Ok(())
}

fn of_seed(args: &SeedsArgs, mut run: RunFile, windows: Option<usize>) -> Result<OtherSeed> {
    run.training.history = 0;
    let SeedsArgs { data, out, device, .. } = args.clone();
    fs::create_dir_all(&out).with_context(|| format!("cannot make the folder {}", out.display()))?;
    let file = out.join(format!("{}.toml", run.name));
    fs::write(&file, toml::to_string(&run)?)?;
    train::run(&TrainArgs { run: file, data: data.clone(), out: out.clone(), minutes: None, device })?;
    // Of these models nothing is shown but their figures.
    let models = out.join("exported");
    export::run(&ExportArgs { run: out.join(&run.name), data: data.clone(), out: models.clone(), machine: None })?;
    let names = vec![run.name.clone()];
    let evaluation = EvaluateArgs { names, models: models.clone(), data, runs: no_runs(&out), windows, device };
    evaluate::run(&evaluation)?;
    let model = SiteModel::open(&models.join(&run.name))?;
    let evaluation = Evaluation::read(&model)?.context("the evaluation was not written")?;
    let Evaluation { weights_sha256, .. } = evaluation.clone();
    let (bits_per_byte, lost, load_cv) = (evaluation.bits_per_byte(), evaluation.lost(), evaluation.load_cv());
    Ok(OtherSeed { seed: run.seed, bits_per_byte, lost, load_cv, weights_sha256 })
}

/// What 8 bits cost was measured on the model itself.
fn no_runs(out: &Path) -> PathBuf {
    out.join("none")
}
