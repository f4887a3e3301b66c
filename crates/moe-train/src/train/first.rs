//! The model that a run goes on from: another run's at its end, or the exported one of that name.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use burn::tensor::Device;
use moe_learn::Learner;
use moe_learn::saved::{restore, save};
use moe_model::{Manifest, checkpoint as exported};

use super::checkpoint;

pub enum First {
    /// A run's folder: the weights as they were trained.
    Run(PathBuf),
    /// A model's folder: the weights as a page loads them, whose matrices were rounded to 8 bits.
    Exported(PathBuf, Box<Manifest>),
}

impl First {
    /// The run of this name among `runs`; where that is not, the model among `models`.
    pub fn find(name: &str, runs: &Path, models: &Path) -> Result<First> {
        let (run, model) = (runs.join(name), models.join(name));
        if checkpoint::read_state(&run)?.is_some() {
            return Ok(First::Run(run));
        }
        let json = fs::read(model.join("manifest.json"));
        let json = json.with_context(|| format!("no run in {}, and no model in {}", run.display(), model.display()))?;
        let manifest = Manifest::from_json(&json).with_context(|| format!("in {}", model.display()))?;
        Ok(First::Exported(model, Box::new(manifest)))
    }

    /// Gives the learner these weights; its optimiser begins anew.
    pub fn begin(&self, learner: &mut Learner, device: &Device) -> Result<()> {
        match self {
            First::Run(folder) => {
                let state = checkpoint::expect_state(folder)?;
                let (step, steps, place) = (state.step, state.run.training.steps, folder.display());
                ensure!(state.config() == learner.config, "the run in {place} has a model of other sizes");
                ensure!(step == steps, "the run in {place} is at step {step} of {steps}; finish it first");
                learner.weights = checkpoint::load_weights(folder, step, learner.weights.clone())?;
            }
            First::Exported(folder, manifest) => {
                let Manifest { architecture, config, weights, .. } = &**manifest;
                let path = folder.join(&weights.file);
                ensure!(*config == learner.config, "the model in {} has other sizes", folder.display());
                let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
                let weights = exported::from_bytes(&bytes, *architecture, config, device)?;
                let shipped = Learner { weights, ..learner.clone() };
                restore(learner, &pollster::block_on(save(&shipped))?)?;
            }
        }
        Ok(())
    }

    /// SHA-256 of the file that the weights are in.
    pub fn weights_sha256(&self) -> Result<String> {
        match self {
            First::Run(folder) => checkpoint::weights_sha256(folder, checkpoint::expect_state(folder)?.step),
            First::Exported(_, manifest) => Ok(manifest.weights.sha256.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::run_file::RunFile;

    const MODELS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../www/site/models");

    #[test]
    fn a_run_begins_with_the_shipped_model_where_its_run_is_not() {
        let first = First::find("default", Path::new("nowhere"), Path::new(MODELS)).expect("it is shipped");
        let First::Exported(folder, manifest) = &first else { panic!("there is no run") };
        assert_eq!(first.weights_sha256().expect("the manifest says it"), manifest.weights.sha256);
        let device = Device::flex();
        let run = RunFile::read(&folder.join("run.toml")).expect("every model has its run file");
        let routing = run.routing().expect("it was trained by it");
        let learner = |config| Learner::new(config, routing, run.recipe(), device.clone()).expect("a learner");
        let mut begun = learner(manifest.config.clone());
        first.begin(&mut begun, &device).expect("it fits");
        let bytes = fs::read(folder.join(&manifest.weights.file)).expect("it is shipped");
        let shipped = exported::from_bytes(&bytes, manifest.architecture, &manifest.config, &device).expect("it fits");
        let embedding = |weights: &moe_model::Weights| weights.embedding.val().to_data();
        assert_eq!(embedding(&begun.weights), embedding(&shipped));

        let mut config = manifest.config.clone();
        config.num_layers = 2;
        let refused = first.begin(&mut learner(config), &device).expect_err("another size");
        assert!(refused.to_string().contains("other sizes"), "{refused}");
    }

    #[test]
    fn where_there_is_neither_the_error_names_both_places() {
        let Err(error) = First::find("none", Path::new("runs"), Path::new("models")) else {
            panic!("there is neither")
        };
        assert_eq!(error.to_string(), "no run in runs/none, and no model in models/none");
    }
}
