//! A training under way: its learner, its texts, what it has kept.

use std::collections::BTreeMap;
use std::rc::Rc;

use moe_learn::{Corpus, Learner, Step};
use moe_model::reference::{LayerOutcome, Rule};
use moe_model::{Device, TensorError};
use moe_router::metrics;
use moe_router::rule::GateReads;
use moe_trace::training::{NewExperts, SnapshotId, TrainRequest, TrainSetting, TrainStep, TrainedLayer};
use moe_trace::{LayerIdx, Mixing, RunId, UserError};

use crate::memory;
use crate::request;
use crate::teacher::Teacher;
use crate::text;

/// A training.
#[derive(Clone)]
pub struct Training {
    /// The settings as they now are.
    pub request: TrainRequest,
    pub learner: Learner,
    /// The step that comes next.
    pub next_step: u32,
    pub state: State,
    /// Whom it learns from, while experts are distilled.
    pub teacher: Option<Rc<Teacher>>,
    corpus: Rc<Corpus>,
    kept: BTreeMap<SnapshotId, Kept>,
    num_snapshots: u32,
}

/// What it does when it has its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Running,
    Resting,
    /// So many steps, then rest.
    Stepping(u32),
}

/// Everything that decides what comes next.
#[derive(Clone)]
struct Kept {
    request: TrainRequest,
    learner: Learner,
    next_step: u32,
    teacher: Option<Rc<Teacher>>,
}

impl Training {
    /// Begins, and will go on by itself.
    pub fn start(request: TrainRequest, device: &Device) -> Result<Training, UserError> {
        let learner = request::learner(&request, device)?;
        Training::resumed(request, learner, 0, 0)
    }

    /// Goes on from this step by itself. The snapshots that were made are not kept, but their numbers are taken.
    pub fn resumed(
        request: TrainRequest,
        learner: Learner,
        next_step: u32,
        num_snapshots: u32,
    ) -> Result<Training, UserError> {
        let corpus = text::corpus(&request.text, u64::from(request.seed), request.num_tokens as usize)?;
        let (state, teacher, kept) = (State::Running, None, BTreeMap::new());
        Ok(Training { learner, next_step, state, teacher, corpus: corpus.into(), kept, num_snapshots, request })
    }

    /// How many were made, those that made way included.
    pub fn num_snapshots(&self) -> u32 {
        self.num_snapshots
    }

    pub fn corpus(&self) -> &Corpus {
        &self.corpus
    }

    /// One optimiser step. `now_ms`: a clock.
    pub async fn step(&mut self, now_ms: &dyn Fn() -> f64) -> Result<TrainStep, TensorError> {
        let started = now_ms();
        let TrainRequest { num_sequences, num_tokens, seed, .. } = self.request;
        let step = self.next_step;
        let (sequences, tokens) = (num_sequences as usize, num_tokens as usize);
        let batch = self.corpus.training_batch(sequences, tokens, u64::from(seed), step as usize);
        let (seen, taught) = match self.teacher.clone() {
            Some(teacher) => teacher.step(&mut self.learner, &batch, step).await?,
            None => (self.learner.step(&batch, step as usize).await?, None),
        };
        self.next_step += 1;
        let seconds = ((now_ms() - started) / 1000.0).max(1e-6);
        Ok(TrainStep {
            run: self.request.run,
            step,
            next_token: seen.losses.cross_entropy,
            auxiliary: seen.losses.auxiliary.clone(),
            gradient_norm: seen.gradient_norm,
            tokens_per_second: (sequences * tokens) as f32 / seconds as f32,
            layers: layers(&seen, self.learner.rule, self.learner.config.num_experts),
            taught,
        })
    }

    /// Is it time for a snapshot that nobody asked for?
    pub fn snapshot_is_due(&self) -> bool {
        self.request.snapshot_every > 0 && self.next_step.is_multiple_of(self.request.snapshot_every)
    }

    /// The experts that are to be made now.
    pub fn upcycling_is_due(&self) -> Option<NewExperts> {
        self.request.upcycling.filter(|planned| self.next_step >= planned.after_steps).map(|planned| planned.experts)
    }

    /// Keeps the state as it is. With it come the snapshots that had to make way: every other one, from the second on.
    pub fn keep(&mut self) -> (SnapshotId, Vec<SnapshotId>) {
        let id = SnapshotId(self.num_snapshots);
        self.num_snapshots += 1;
        let Training { request, learner, next_step, teacher, .. } = self.clone_of_state();
        self.kept.insert(id, Kept { request, learner, next_step, teacher });
        let most = memory::num_snapshots(&self.learner.config, self.request.num_sequences as usize);
        let mut forgotten = Vec::new();
        if self.kept.len() > most {
            let ids: Vec<SnapshotId> = self.kept.keys().copied().collect();
            // The first and the newest stay.
            forgotten.extend(ids[..ids.len() - 1].iter().skip(1).step_by(2));
            forgotten.iter().for_each(|id| {
                self.kept.remove(id);
            });
        }
        (id, forgotten)
    }

    /// Without the snapshots, which are many times the size of the rest.
    fn clone_of_state(&self) -> Training {
        Training {
            request: self.request.clone(),
            learner: self.learner.clone(),
            teacher: self.teacher.clone(),
            corpus: self.corpus.clone(),
            kept: BTreeMap::new(),
            ..*self
        }
    }

    /// Back to a snapshot, settings included, to rest there. Those that were made later are still kept.
    pub fn rewind(&mut self, snapshot: SnapshotId) -> Result<(), UserError> {
        let kept = self.kept.get(&snapshot).ok_or_else(|| not_kept(snapshot))?;
        self.request = kept.request.clone();
        self.learner = kept.learner.clone();
        self.next_step = kept.next_step;
        self.teacher = kept.teacher.clone();
        self.state = State::Resting;
        Ok(())
    }

    /// A second training from a snapshot of this one. It rests, and can go back to all that this one can, under the same
    /// numbers; the tensors are shared.
    pub fn fork(&self, snapshot: SnapshotId, into: RunId) -> Result<Training, UserError> {
        let mut fork = Training { kept: self.kept.clone(), ..self.clone_of_state() };
        fork.kept.values_mut().for_each(|kept| kept.request.run = into);
        fork.rewind(snapshot)?;
        Ok(fork)
    }

    /// From the next step on. What does not fit changes nothing.
    pub fn change(&mut self, setting: &TrainSetting) -> Result<(), UserError> {
        let mut request = self.request.clone();
        match setting.clone() {
            TrainSetting::LearningRate(rate) => request.learning_rate = rate,
            TrainSetting::Losses(losses) => request.losses = losses,
            TrainSetting::BiasStep(step) => request.bias_step = step,
            TrainSetting::Rule(rule) => request.rule = rule,
            TrainSetting::NumSequences(number) => request.num_sequences = number,
            TrainSetting::Probe(probe) => request.probe = probe,
        }
        // The same checks as at the start, on a learner that is thrown away.
        let checked = request::learner(&request, &self.learner.device)
            .map_err(|error| UserError { what: "The setting was not changed.".to_owned(), ..error })?;
        if checked.config.selection_bias != self.learner.config.selection_bias {
            let why = "This model was made with or without a selection bias, and stays so.";
            return Err(UserError::new("The setting was not changed.", why, "Start a new training."));
        }
        self.learner.rule = checked.rule;
        self.learner.recipe = checked.recipe;
        self.request = request;
        Ok(())
    }
}

fn not_kept(snapshot: SnapshotId) -> UserError {
    let why = format!("Snapshot {} is not kept; when there were too many, every other one made way.", snapshot.0);
    UserError::new("The training did not go back.", why, "Choose another snapshot.")
}

/// How each layer routed the batch.
fn layers(seen: &Step, rule: Rule, num_experts: usize) -> Vec<TrainedLayer> {
    let reads_gate = match rule {
        Rule::Assigns(router) => router.facts().reads != GateReads::Nothing,
        Rule::Mixes(_) => true,
    };
    let dropped = |routing: &moe_trace::Routing| {
        (0..routing.num_tokens).filter(|&token| routing.is_dropped(token)).count() as u32
    };
    let of_layer = |(number, layer): (usize, &LayerOutcome)| {
        let sum = |of: fn(&moe_trace::Routing) -> Vec<u32>| {
            let mut sums = vec![0; num_experts];
            for counts in layer.routings.iter().map(of) {
                sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            }
            sums
        };
        let entropy = |logits: &moe_trace::GateLogits| {
            metrics::entropy_mean(&moe_router::gate_probs(logits), num_experts) / layer.gate_values.len() as f64
        };
        TrainedLayer {
            layer: LayerIdx(number as u32),
            demand: sum(metrics::demand),
            load: sum(metrics::load),
            num_dropped_tokens: layer.routings.iter().map(dropped).sum(),
            shares: shares(&layer.mixings, num_experts),
            gate_entropy: reads_gate.then(|| layer.gate_values.iter().map(entropy).sum::<f64>() as f32),
        }
    };
    seen.forward.layers.iter().enumerate().map(of_layer).collect()
}

/// Each expert's share of what a rule mixes, mean over all sequences; `None` where it does not.
fn shares(mixings: &[Mixing], num_experts: usize) -> Option<Vec<f32>> {
    let mut sums = vec![0.0f64; num_experts];
    for mixing in mixings {
        let (rows, columns_per_expert) = match mixing {
            Mixing::Slots { combine, slots_per_expert, .. } => (combine, *slots_per_expert as usize),
            Mixing::Merged { shares, .. } => (shares, 1),
            Mixing::Outputs { weights, .. } => (weights, 1),
        };
        let num_columns = num_experts * columns_per_expert;
        let num_rows = rows.len() / num_columns;
        for (at, share) in rows.iter().enumerate() {
            sums[at % num_columns / columns_per_expert] += f64::from(*share) / (num_rows * mixings.len()) as f64;
        }
    }
    (!mixings.is_empty()).then(|| sums.into_iter().map(|sum| sum as f32).collect())
}
