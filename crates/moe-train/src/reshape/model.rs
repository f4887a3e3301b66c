//! A shipped model as a learner, with the text that it was trained on.

use anyhow::{Result, ensure};
use burn::tensor::Device;
use moe_learn::reshape::merged;
use moe_learn::saved::{restore, save};
use moe_learn::{Corpus, Domain, Learner, Recipe, held_out};
use moe_model::ModelConfig;

use super::card::Row;
use super::{DENSE, Learning, Places, kept, measured};
use crate::site_model::SiteModel;
use crate::train::data;
use crate::train::run_file::RunFile;

/// A model of the site and its texts.
pub struct Source {
    pub model: SiteModel,
    pub corpus: Corpus,
    run: RunFile,
    device: Device,
}

impl Source {
    pub fn open(name: &str, places: &Places) -> Result<Source> {
        let model = SiteModel::open(&places.models.join(name))?;
        let run = model.run()?;
        let corpus = data::open(&places.data, &run.training.domains)?;
        let source = Source { model, corpus, run, device: places.device.init()? };
        source.corpus.ensure_windows_of(source.num_tokens())?;
        Ok(source)
    }

    pub fn config(&self) -> &ModelConfig {
        &self.model.manifest.config
    }

    /// Of a sequence.
    pub fn num_tokens(&self) -> usize {
        self.config().max_tokens
    }

    /// As in its own training, but for what is asked.
    pub fn recipe(&self, steps: usize, learning: &Learning) -> Recipe {
        let &Learning { learning_rate, seed, .. } = learning;
        Recipe { seed, steps, learning_rate, warm_up: steps / 10, ..self.run.recipe() }
    }

    /// The model as it is shipped; of its optimiser nothing is left.
    pub fn learner(&self, steps: usize, learning: &Learning) -> Result<Learner> {
        self.learner_by(self.recipe(steps, learning))
    }

    fn learner_by(&self, recipe: Recipe) -> Result<Learner> {
        let rule = self.model.manifest.trained_routing;
        let mut learner = Learner::new(self.config().clone(), rule, recipe, self.device.clone())?;
        let shipped = Learner { weights: self.model.weights(&self.device)?, ..learner.clone() };
        restore(&mut learner, &kept(&shipped)?)?;
        Ok(learner)
    }

    /// The same of a model with experts.
    pub fn experts_or_refuse(&self) -> Result<Learner> {
        let name = self.model.name();
        ensure!(self.config().num_experts > 1, "{name} has one feed-forward a layer already");
        self.learner_by(self.run.recipe())
    }

    /// The mean of each layer's experts: by their share of the requests on training text, or plain.
    pub fn merged(&self, experts: &Learner, by_load: bool) -> Result<Learner> {
        let config = ModelConfig { num_experts: 1, ..experts.config.clone() };
        let mut student = Learner::new(config, DENSE, experts.recipe.clone(), self.device.clone())?;
        let loads = if by_load { self.loads(experts)? } else { Vec::new() };
        let (from, fresh) = (pollster::block_on(save(experts))?, kept(&student)?);
        restore(&mut student, &merged(&from, &fresh, &loads))?;
        Ok(student)
    }

    /// Requests per layer and expert, on a few windows of training text.
    fn loads(&self, experts: &Learner) -> Result<Vec<Vec<f64>>> {
        let as_held_out = |domain: &Domain| Domain {
            name: domain.name.clone(),
            train: Vec::new(),
            valid: domain.train.clone(),
            valid_bytes_per_token: domain.valid_bytes_per_token,
        };
        let domains = self.corpus.domains.iter().map(as_held_out).collect();
        let training = Corpus { domains, vocab_size: self.corpus.vocab_size };
        let found = pollster::block_on(held_out::by_domain(experts, &training, self.num_tokens()))?;
        let mut loads = vec![vec![0.0; experts.config.num_experts]; experts.config.num_layers];
        for demand in found.iter().map(|of| &of.demand) {
            for (sums, counts) in loads.iter_mut().zip(demand) {
                sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += f64::from(*count));
            }
        }
        Ok(loads)
    }

    /// What a learner has come to.
    pub fn row(&self, what: &str, learner: &Learner, steps: usize) -> Result<Row> {
        measured(what, learner, &self.corpus, steps)
    }
}
