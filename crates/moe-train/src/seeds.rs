//! A run again under other seeds: how far its figures move where nothing but chance differs. `seeds.json` beside a model
//! has them, so that a card can tell a difference from noise.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::evaluate::Evaluation;
use crate::site_model::SiteModel;
use crate::train::run_file::RunFile;
use crate::workshop::Workshop;

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
    #[command(flatten)]
    pub workshop: Workshop,
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
            let other = RunFile { name: format!("{name}-seed-{seed}"), seed, ..run.clone() };
            let other = of_seed(&args.workshop, other, own.windows)?;
            println!("{name}, seed {seed}: {:.3} bits per byte, {:.1} % lost", other.bits_per_byte, 100.0 * other.lost);
            known.push(other);
            known.sort_by_key(|other| other.seed);
            fs::write(model.folder.join(FILE), serde_json::to_string_pretty(&known)? + "\n")?;
        }
    }
    Ok(())
}

fn of_seed(workshop: &Workshop, run: RunFile, windows: Option<usize>) -> Result<OtherSeed> {
    let seed = run.seed;
    let (_, evaluation) = workshop.train_and_score(run, windows)?;
    let (bits_per_byte, lost, load_cv) = (evaluation.bits_per_byte(), evaluation.lost(), evaluation.load_cv());
    Ok(OtherSeed { seed, bits_per_byte, lost, load_cv, weights_sha256: evaluation.weights_sha256 })
}
