//! A training as it was told so far, and what can be read off it.

use std::borrow::Cow;
use std::rc::Rc;

use moe_router::metrics;
use moe_trace::training::{SnapshotId, Taught, TrainRequest, TrainSetting, TrainSnapshot, TrainStep, WeightedLoss};
use moe_trace::{Bytes, RunId, TrainEvent};

#[derive(Debug, Clone, PartialEq)]
pub struct Training {
    /// With the settings as they are now.
    pub request: TrainRequest,
    pub num_parameters: u32,
    /// Nats per token of a guess by frequency alone.
    pub floor: f32,
    /// By their numbers, without a gap; from 0, or from where it was opened.
    pub steps: Vec<Rc<TrainStep>>,
    /// By their steps.
    pub snapshots: Vec<Rc<TrainSnapshot>>,
    /// Of the snapshots, those that one can go back to.
    pub kept: Vec<SnapshotId>,
    /// From which another worker can go on; the newest last.
    pub saved: Vec<Saved>,
    /// What it cost to make experts or to merge them, the last time.
    pub reshaped: Option<Reshaped>,
    /// What was left of the cost where experts taught one feed-forward.
    pub distilled: Option<Distilled>,
    /// The file that it was opened from, or what else it is called by, where it is not a side of the experiment.
    pub name: Option<String>,
    pub is_resting: bool,
}

/// A model that got another number of experts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reshaped {
    /// After so many steps.
    pub after_steps: usize,
    pub num_experts: u32,
    /// Held-out nats per token, before and after.
    pub held_out: [f32; 2],
}

/// Experts distilled into one feed-forward.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Distilled {
    /// After so many steps of the training.
    pub after_steps: usize,
    /// Held-out nats per token: of the experts, of their mean, and when all steps were done.
    pub held_out: [f32; 3],
}

/// All that a training needs to go on from a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Saved {
    pub next_step: u32,
    pub bytes: Bytes,
}

/// A stretch of steps, averaged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    /// The middle of its steps.
    pub step: f32,
    /// Nats per token.
    pub loss: f32,
}

impl Training {
    /// One that was asked for and has told nothing.
    pub fn new(request: TrainRequest) -> Training {
        let (steps, snapshots, kept, saved) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (num_parameters, floor, name) = (0, 0.0, None);
        Training {
            request,
            num_parameters,
            floor,
            steps,
            snapshots,
            kept,
            saved,
            reshaped: None,
            distilled: None,
            name,
            is_resting: false,
        }
    }

    /// Before it is opened under another number: what it was until that step, and nothing to go back to.
    pub fn reopened(&self, run: RunId, next_step: u32) -> Training {
        let mut training = Training { kept: Vec::new(), saved: Vec::new(), is_resting: false, ..self.clone() };
        training.request.run = run;
        training.forget_after(next_step);
        training
    }

    /// The steps that were done, those before it was opened included.
    pub fn num_steps(&self) -> usize {
        let told = self.steps.last().map(|step| step.step + 1);
        let kept = self.snapshots.last().map(|snapshot| snapshot.num_steps);
        told.max(kept).unwrap_or(0) as usize
    }

    /// Takes up what was told of it. Failures are not its matter.
    pub fn take(&mut self, event: &TrainEvent) {
        match event {
            TrainEvent::Started { num_parameters, floor, .. } => {
                (self.num_parameters, self.floor) = (*num_parameters, *floor);
            }
            TrainEvent::Step(step) => {
                self.forget_after(step.step);
                self.steps.push(Rc::new(step.clone()));
                self.is_resting = false;
            }
            TrainEvent::Snapshot(snapshot) => {
                self.kept.push(snapshot.snapshot);
                // Where one was made by hand, another may follow after the same steps; the later one counts.
                self.snapshots.retain(|known| known.num_steps < snapshot.num_steps);
                self.snapshots.push(Rc::new(snapshot.clone()));
            }
            TrainEvent::Opened { request, .. } => self.request = request.clone(),
            TrainEvent::Reshaped { request, num_parameters, held_out, .. } => {
                (self.request, self.num_parameters) = (request.clone(), *num_parameters);
                let (after_steps, num_experts) = (self.num_steps(), request.model.num_experts);
                self.reshaped = held_out.map(|held_out| Reshaped { after_steps, num_experts, held_out });
                self.distilled = None;
            }
            TrainEvent::Distilled { held_out, .. } => {
                self.distilled = Some(Distilled { after_steps: self.num_steps(), held_out: *held_out });
            }
            TrainEvent::Saved { next_step, saved, .. } => {
                self.saved.retain(|known| known.next_step < *next_step);
                self.saved.push(Saved { next_step: *next_step, bytes: saved.clone() });
            }
            TrainEvent::Forgotten { snapshot, .. } => self.kept.retain(|kept| kept != snapshot),
            TrainEvent::Resting { next_step, .. } => {
                self.is_resting = true;
                self.forget_after(*next_step);
            }
            TrainEvent::Changed { setting, .. } => self.change(setting),
            TrainEvent::Stopped { .. }
            | TrainEvent::Adapting(_)
            | TrainEvent::AdaptStep(_)
            | TrainEvent::Adapted(_)
            | TrainEvent::Failed { .. }
            | TrainEvent::Lost(_) => {}
        }
    }

    /// It goes on from this step, so what came later is no longer true of it.
    fn forget_after(&mut self, next_step: u32) {
        self.steps.truncate(self.steps.partition_point(|step| step.step < next_step));
        self.snapshots.retain(|snapshot| snapshot.num_steps <= next_step);
        self.saved.retain(|saved| saved.next_step <= next_step);
    }

    fn change(&mut self, setting: &TrainSetting) {
        match setting.clone() {
            TrainSetting::LearningRate(rate) => self.request.learning_rate = rate,
            TrainSetting::Losses(losses) => self.request.losses = losses,
            TrainSetting::BiasStep(step) => self.request.bias_step = step,
            TrainSetting::Rule(rule) => self.request.rule = rule,
            TrainSetting::NumSequences(number) => self.request.num_sequences = number,
            TrainSetting::Probe(probe) => self.request.probe = probe,
        }
    }

    /// The losses beside that of the next token, the `at`th with another coefficient.
    pub fn losses_with(&self, at: usize, coefficient: f32) -> Vec<WeightedLoss> {
        let mut losses = self.request.losses.clone();
        if let Some(loss) = losses.get_mut(at) {
            loss.coefficient = coefficient;
        }
        losses
    }

    /// The training loss, as at most so many stretches of equally many steps.
    pub fn curve(&self, most: usize) -> Vec<Stretch> {
        self.stretches(most)
            .map(|steps| Stretch {
                step: steps.iter().map(|step| step.step as f32).sum::<f32>() / steps.len() as f32,
                loss: steps.iter().map(|step| step.next_token).sum::<f32>() / steps.len() as f32,
            })
            .collect()
    }

    /// Whom a layer's tokens asked, as at most so many stretches: shares of all requests, or where a rule mixes of what
    /// they were given, `[stretches][experts]`.
    pub fn shares(&self, layer: usize, most: usize) -> Vec<Vec<f64>> {
        let of_steps = |steps: &[Rc<TrainStep>]| shares(steps, layer).unwrap_or_default();
        let mut shares: Vec<Vec<f64>> = self.stretches(most).map(of_steps).collect();
        // Where experts were made or merged on the way, those that are not there get nothing.
        let num_experts = shares.iter().map(Vec::len).max().unwrap_or(0);
        shares.iter_mut().for_each(|shares| shares.resize(num_experts, 0.0));
        shares
    }

    fn stretches(&self, most: usize) -> impl Iterator<Item = &[Rc<TrainStep>]> {
        self.steps.chunks(self.steps.len().div_ceil(most.max(1)).max(1))
    }

    /// The last ten steps, or as many as there are: what "now" means where one step says little.
    pub fn latest(&self) -> &[Rc<TrainStep>] {
        &self.steps[self.steps.len().saturating_sub(10)..]
    }

    /// Of the latest step, while experts are distilled: how far from them it found the model, and in what.
    pub fn taught(&self) -> Option<(Cow<'static, str>, f64)> {
        match self.steps.last()?.taught.as_ref()? {
            Taught::Layers(errors) => {
                Some((say!("layers' error against the experts"), mean(errors.iter().copied().map(f64::from))?))
            }
            Taught::Divergence(nats) => Some((say!("divergence from the experts, nats"), f64::from(*nats))),
        }
    }

    /// How a layer routed the latest steps: requests and those served, per expert.
    pub fn latest_load(&self, layer: usize) -> (Vec<u32>, Vec<u32>) {
        let layers = || self.latest().iter().filter_map(|step| step.layers.get(layer));
        (sum(layers().map(|layer| &layer.demand[..])), sum(layers().map(|layer| &layer.load[..])))
    }

    /// Of the latest steps' requests, or of what a rule mixes, the share of the expert that got most; mean over the layers.
    pub fn largest_share(&self) -> Option<f64> {
        let shares = (0..self.request.model.num_layers as usize)
            .filter_map(|layer| shares(self.latest(), layer)?.into_iter().max_by(f64::total_cmp));
        mean(shares)
    }

    /// Of the latest steps' requests, the share that was turned away.
    pub fn lost_share(&self) -> Option<f64> {
        let loads = (0..self.request.model.num_layers as usize).map(|layer| self.latest_load(layer));
        let (demand, load) = loads
            .fold((0, 0), |(demand, load), of| (demand + of.0.iter().sum::<u32>(), load + of.1.iter().sum::<u32>()));
        (demand > 0).then(|| f64::from(demand - load) / f64::from(demand))
    }

    /// Unevenness of the latest steps' demand: coefficient of variation, mean over the layers.
    pub fn variation(&self) -> Option<f64> {
        let of_layer = |layer| metrics::demand_cv(&self.latest_load(layer).0);
        self.lost_share().map(|_| mean((0..self.request.model.num_layers as usize).map(of_layer)))?
    }

    /// Mean gate entropy of the latest steps, nats; `None` where the rule reads no gate.
    pub fn gate_entropy(&self) -> Option<f64> {
        let layers = self.latest().iter().flat_map(|step| &step.layers);
        mean(layers.filter_map(|layer| layer.gate_entropy).map(f64::from))
    }

    /// Tokens a second, over the latest steps.
    pub fn tokens_per_second(&self) -> Option<f64> {
        let seconds_per_token = mean(self.latest().iter().map(|step| 1.0 / f64::from(step.tokens_per_second)))?;
        Some(1.0 / seconds_per_token)
    }

    /// Steps a second, were it alone.
    pub fn steps_per_second(&self) -> Option<f64> {
        let tokens = f64::from(self.request.num_sequences) * f64::from(self.request.num_tokens);
        Some(self.tokens_per_second()? / tokens)
    }

    /// The `at`th snapshot, or the newest.
    pub fn snapshot(&self, at: Option<usize>) -> Option<&Rc<TrainSnapshot>> {
        match at {
            Some(at) => self.snapshots.get(at),
            None => self.snapshots.last(),
        }
    }
}

/// How far a layer's experts tell the kinds of text apart, 0 to 1: the mutual information of kind and expert over that of
/// kinds that are told apart entirely. `demand`: `[kinds][experts]`, requests. `None` with one kind, or without requests.
pub fn told_apart(demand: &[&[u32]]) -> Option<f64> {
    let chances = demand.iter().filter_map(|demand| {
        let all = f64::from(demand.iter().sum::<u32>());
        (all > 0.0).then(|| demand.iter().map(move |&requests| f64::from(requests) / all))
    });
    let chances: Vec<f64> = chances.flatten().collect();
    let num_experts = demand.first()?.len();
    if demand.len() < 2 || chances.len() != demand.len() * num_experts {
        return None;
    }
    // Minus the mutual information, where all kinds are equally frequent.
    let loss = moe_router::losses::task_information(&chances, num_experts);
    Some((-loss / (demand.len() as f64).ln()).max(0.0))
}

/// Each expert's share of the requests of a layer, over these steps; where a rule mixes, its mean share of the mixture.
fn shares(steps: &[Rc<TrainStep>], layer: usize) -> Option<Vec<f64>> {
    let layers = || steps.iter().filter_map(|step| step.layers.get(layer));
    let demand = sum(layers().map(|layer| &layer.demand[..]));
    let all = f64::from(demand.iter().sum::<u32>());
    if all > 0.0 {
        return Some(demand.iter().map(|&requests| f64::from(requests) / all).collect());
    }
    let mixed: Vec<&Vec<f32>> = layers().filter_map(|layer| layer.shares.as_ref()).collect();
    let num_experts = mixed.first()?.len();
    let share =
        |expert: usize| mixed.iter().filter_map(|shares| shares.get(expert)).copied().map(f64::from).sum::<f64>();
    Some((0..num_experts).map(|expert| share(expert) / mixed.len() as f64).collect())
}

fn sum<'a>(counts: impl Iterator<Item = &'a [u32]>) -> Vec<u32> {
    let mut sums = Vec::new();
    for counts in counts {
        sums.resize(sums.len().max(counts.len()), 0);
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    sums
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0);
    values.for_each(|value| {
        sum += value;
        count += 1;
    });
    (count > 0).then(|| sum / f64::from(count))
}
