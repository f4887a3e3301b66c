//! A mixture of adapters under way: a frozen model, small experts beside it, and the reader's text that they learn.

mod file;
mod model;
mod request;

use moe_learn::Corpus;
use moe_learn::adapting::AdapterLearner;
use moe_model::{Device, TensorError};
use moe_trace::adapting::{AdaptLook, AdaptRequest, AdaptStart, AdaptStep, Adaptation, AdapterRecipe, BeforeAndAfter};
use moe_trace::training::TrainSetting;
use moe_trace::{RunId, UserError};

use crate::training::State;
use model::Base;

/// Adapters that learn.
pub struct Adapting {
    request: AdaptRequest,
    /// Of opened adapters, theirs.
    recipe: AdapterRecipe,
    base: Base,
    learner: AdapterLearner,
    corpus: Corpus,
    /// Held-out nats per token of the model alone, of each kind of text.
    before: Vec<f32>,
    /// The step at which the optimiser began: the steps that opened adapters had learned.
    first_step: u32,
    pub next_step: u32,
    pub state: State,
    /// After so many steps was the latest look; `None` where there was none at this probe.
    looked_at: Option<u32>,
}

impl Adapting {
    /// Freezes the model and makes its adapters, or opens them. It will go on by itself.
    pub async fn start(adaptation: Adaptation, device: &Device) -> Result<Adapting, UserError> {
        let Adaptation { request, model, adapters } = adaptation;
        let base = Base::load(&model, device)?;
        let (learner, recipe, next_step) = match &adapters {
            Some(bytes) => file::open(bytes, &base, device)?,
            None => (request::learner(&request.recipe, &base, device)?, request.recipe, 0),
        };
        let corpus = request::corpus(&request, &recipe, &base)?;
        let before = base.frozen.held_out(None, &corpus, recipe.num_tokens as usize).await;
        let before = before
            .map_err(|error| not_begun("The model could not be run on the text.", "Try again.").with_details(error))?;
        let (state, looked_at, first_step) = (State::Running, None, next_step);
        Ok(Adapting { request, recipe, base, learner, corpus, before, first_step, next_step, state, looked_at })
    }

    pub fn run(&self) -> RunId {
        self.request.run
    }

    /// What there is, before the first step.
    pub fn begun(&self) -> AdaptStart {
        AdaptStart {
            run: self.run(),
            recipe: self.recipe,
            model: self.base.name.clone(),
            num_trained: self.learner.config.num_parameters() as u32,
            num_frozen: self.base.frozen.config.num_parameters() as u32,
            next_step: self.next_step,
        }
    }

    /// One optimiser step. `now_ms`: a clock.
    pub async fn step(&mut self, now_ms: &dyn Fn() -> f64) -> Result<AdaptStep, TensorError> {
        let started = now_ms();
        let AdapterRecipe { num_sequences, num_tokens, seed, .. } = self.recipe;
        let (sequences, tokens, step) = (num_sequences as usize, num_tokens as usize, self.next_step);
        let batch = self.corpus.training_batch(sequences, tokens, u64::from(seed), step as usize);
        // Kinds of text take turns, as `training_batch` has it.
        let num_kinds = self.corpus.domains.len();
        let kinds: Vec<usize> = (0..sequences).map(|at| (step as usize * sequences + at) % num_kinds).collect();
        let since_first = (step - self.first_step) as usize;
        let seen = self.learner.step(&self.base.frozen, &batch, &kinds, since_first).await?;
        self.next_step += 1;
        let seconds = ((now_ms() - started) / 1000.0).max(1e-6);
        Ok(AdaptStep {
            run: self.run(),
            step,
            next_token: seen.cross_entropy,
            balance: seen.balance,
            gradient_norm: seen.gradient_norm,
            tokens_per_second: (sequences * tokens) as f32 / seconds as f32,
            shares: seen.shares,
        })
    }

    /// Is it time to look: as often as was asked, wherever they come to rest, and after another probe?
    pub fn look_is_due(&self) -> bool {
        let is_due = self.request.look_every > 0 && self.next_step.is_multiple_of(self.request.look_every);
        (is_due || self.state == State::Resting || self.looked_at.is_none()) && self.looked_at != Some(self.next_step)
    }

    /// What the adapters have come to.
    pub async fn look(&mut self) -> Result<AdaptLook, TensorError> {
        let adapters = self.learner.plain();
        let num_tokens = self.recipe.num_tokens as usize;
        let after = self.base.frozen.held_out(Some(&adapters), &self.corpus, num_tokens).await?;
        let held_out = self.before.iter().zip(after).map(|(&before, after)| BeforeAndAfter { before, after });
        let held_out = held_out.collect();
        let tokens: Vec<u16> =
            self.base.tokens(&self.request.probe).into_iter().take(self.base.frozen.config.max_tokens).collect();
        let probe_shares = match tokens.is_empty() {
            true => Vec::new(),
            false => self.base.frozen.shares(&adapters, &tokens).await?,
        };
        let saved = file::bytes(&self.learner, self.recipe, &self.base, self.next_step).await?.into();
        self.looked_at = Some(self.next_step);
        Ok(AdaptLook {
            run: self.run(),
            num_steps: self.next_step,
            held_out,
            probe_tokens: tokens.iter().map(|&id| self.base.tokenizer.bytes(id.into()).to_vec()).collect(),
            probe_shares,
            saved,
        })
    }

    /// From the next step on. What does not fit changes nothing.
    pub fn change(&mut self, setting: &TrainSetting) -> Result<(), UserError> {
        let unchanged = |error: UserError| UserError { what: "The setting was not changed.".to_owned(), ..error };
        match setting {
            TrainSetting::LearningRate(rate) => {
                request::check_rate(*rate).map_err(unchanged)?;
                self.recipe.learning_rate = *rate;
                self.learner.recipe.learning_rate = f64::from(*rate);
            }
            TrainSetting::Probe(probe) => {
                self.request.probe.clone_from(probe);
                self.looked_at = None;
            }
            _ => {
                let why = "Of adapters that learn, only the learning rate and the probe may change.";
                return Err(unchanged(not_begun(why, "Start them anew.")));
            }
        }
        Ok(())
    }
}

/// An adaptation that cannot be: why, and what to do.
fn not_begun(why: impl Into<String>, try_this: &str) -> UserError {
    UserError::new("The adapters were not trained.", why, try_this)
}

fn not_opened(why: impl Into<String>, try_this: &str) -> UserError {
    UserError::new("The adapters were not opened.", why, try_this)
}
