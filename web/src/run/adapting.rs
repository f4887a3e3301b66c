//! Adapters beside a frozen model as they were told so far, and what can be read off them.

use std::rc::Rc;

use moe_trace::adapting::{AdaptLook, AdaptRequest, AdaptStart, AdaptStep};
use moe_trace::training::TrainSetting;
use moe_trace::{RunId, TrainEvent};

/// Steps that "the latest" means.
const LATEST: usize = 10;

#[derive(Debug, Clone, PartialEq)]
pub struct Adapting {
    /// As it was asked for; of opened adapters, [`AdaptStart`] has the recipe that counts.
    pub request: AdaptRequest,
    pub start: Option<AdaptStart>,
    pub steps: Vec<Rc<AdaptStep>>,
    /// The newest.
    pub look: Option<Rc<AdaptLook>>,
    /// Held-out nats per token of the text that is learned, by steps done.
    pub held_out: Vec<(u32, f32)>,
    /// The file that they were opened from.
    pub name: Option<String>,
    pub is_resting: bool,
}

impl Adapting {
    /// Adapters that were asked for and have told nothing.
    pub fn new(request: AdaptRequest, name: Option<String>) -> Adapting {
        let (steps, held_out) = (Vec::new(), Vec::new());
        Adapting { request, start: None, steps, look: None, held_out, name, is_resting: false }
    }

    pub fn run(&self) -> RunId {
        self.request.run
    }

    /// Takes up what was told of them. Failures are not their matter.
    pub fn take(&mut self, event: &TrainEvent) {
        match event {
            TrainEvent::Adapting(start) => self.start = Some(start.clone()),
            TrainEvent::AdaptStep(step) => {
                self.steps.push(Rc::new(step.clone()));
                self.is_resting = false;
            }
            TrainEvent::Adapted(look) => {
                self.held_out.retain(|(num_steps, _)| *num_steps != look.num_steps);
                self.held_out.extend(look.held_out.first().map(|nats| (look.num_steps, nats.after)));
                self.look = Some(Rc::new(look.clone()));
            }
            TrainEvent::Resting { .. } => self.is_resting = true,
            TrainEvent::Changed { setting: TrainSetting::Probe(probe), .. } => self.request.probe.clone_from(probe),
            _ => {}
        }
    }

    /// The steps that the adapters have learned, those before they were opened included.
    pub fn num_steps(&self) -> u32 {
        let begun = self.start.as_ref().map_or(0, |start| start.next_step);
        self.steps.last().map_or(begun, |step| step.step + 1)
    }

    /// The latest steps, ten at most.
    fn latest(&self) -> &[Rc<AdaptStep>] {
        &self.steps[self.steps.len().saturating_sub(LATEST)..]
    }

    /// Steps and losses of the batches, in nats per token, as means over at most so many stretches.
    pub fn curve(&self, most: usize) -> Vec<(f32, f32)> {
        let mean = |steps: &[Rc<AdaptStep>], of: fn(&AdaptStep) -> f32| {
            steps.iter().map(|step| of(step)).sum::<f32>() / steps.len() as f32
        };
        let stretches = self.steps.chunks(self.steps.len().div_ceil(most).max(1));
        stretches
            .map(|steps| (mean(steps, |step| step.step as f32) + 0.5, mean(steps, |step| step.next_token)))
            .collect()
    }

    /// Mean loss of the latest steps, nats per token.
    pub fn latest_loss(&self) -> Option<f32> {
        self.mean(|step| step.next_token)
    }

    /// The same of the localised balance loss, where it is asked for.
    pub fn latest_balance(&self) -> Option<f32> {
        self.steps.last()?.balance?;
        self.mean(|step| step.balance.unwrap_or(0.0))
    }

    pub fn tokens_per_second(&self) -> Option<f32> {
        self.mean(|step| step.tokens_per_second)
    }

    fn mean(&self, of: impl Fn(&AdaptStep) -> f32) -> Option<f32> {
        let latest = self.latest();
        (!latest.is_empty()).then(|| latest.iter().map(|step| of(step)).sum::<f32>() / latest.len() as f32)
    }

    /// Each adapter's mean share over the latest steps, `[layers][adapters]`.
    pub fn latest_shares(&self) -> Vec<Vec<f32>> {
        let latest = self.latest();
        let Some(mut sums) = latest.first().map(|step| step.shares.clone()) else { return Vec::new() };
        for step in &latest[1..] {
            let both = sums.iter_mut().flatten().zip(step.shares.iter().flatten());
            both.for_each(|(sum, share)| *sum += share);
        }
        sums.iter_mut().flatten().for_each(|sum| *sum /= latest.len() as f32);
        sums
    }

    /// Of a token of the probe in a layer: the adapter with the largest share, and the share.
    pub fn asks_first(look: &AdaptLook, layer: usize, token: usize) -> Option<(usize, f32)> {
        let shares = look.probe_shares.get(layer)?;
        let num_adapters = shares.len() / look.probe_tokens.len().max(1);
        let of_token = shares.get(token * num_adapters..(token + 1) * num_adapters)?;
        let largest = of_token.iter().copied().enumerate();
        // Of equal shares the first adapter's.
        largest.reduce(|best, next| if next.1 > best.1 { next } else { best })
    }
}

#[cfg(test)]
mod tests {
    use moe_trace::MixerSpec;
    use moe_trace::adapting::{AdapterRecipe, BeforeAndAfter};

    use super::*;

    fn adapting() -> Adapting {
        let recipe = AdapterRecipe {
            rule: MixerSpec::Mov,
            num_adapters: 2,
            rank: 1,
            alpha: 1.0,
            num_sequences: 1,
            num_tokens: 8,
            learning_rate: 0.1,
            balance: 0.0,
            seed: 1,
        };
        let (run, text) = (RunId(3), String::new());
        let request = AdaptRequest { run, recipe, remembered: String::new(), probe: text.clone(), text, look_every: 0 };
        Adapting::new(request, None)
    }

    fn step(step: u32, next_token: f32, first_share: f32) -> TrainEvent {
        let shares = vec![vec![first_share, 1.0 - first_share]];
        let (run, balance) = (RunId(3), None);
        let step = AdaptStep { run, step, next_token, balance, gradient_norm: 1.0, tokens_per_second: 8.0, shares };
        TrainEvent::AdaptStep(step)
    }

    #[test]
    fn the_latest_steps_are_averaged() {
        let mut adapting = adapting();
        assert_eq!((adapting.latest_loss(), adapting.latest_shares()), (None, Vec::new()));
        // The first of twelve is not among the latest ten.
        adapting.take(&step(0, 100.0, 0.0));
        adapting.take(&step(1, 100.0, 0.0));
        (2..12).for_each(|at| adapting.take(&step(at, if at < 7 { 3.0 } else { 5.0 }, 0.25)));
        assert_eq!((adapting.latest_loss(), adapting.num_steps()), (Some(4.0), 12));
        assert_eq!(adapting.latest_shares(), [[0.25, 0.75]]);
        assert_eq!(adapting.latest_balance(), None);
        assert_eq!(adapting.curve(6)[..2], [(1.0, 100.0), (3.0, 3.0)]);
        assert_eq!(adapting.curve(100).len(), 12);
    }

    #[test]
    fn of_a_token_the_largest_share_counts_and_of_equal_ones_the_first() {
        let look = AdaptLook {
            run: RunId(3),
            num_steps: 0,
            held_out: vec![BeforeAndAfter { before: 2.0, after: 1.5 }],
            probe_tokens: vec![b"a".to_vec(), b"b".to_vec()],
            probe_shares: vec![vec![0.5, 0.5, 0.2, 0.8]],
            saved: Vec::new().into(),
        };
        assert_eq!(Adapting::asks_first(&look, 0, 0), Some((0, 0.5)));
        assert_eq!(Adapting::asks_first(&look, 0, 1), Some((1, 0.8)));
        assert_eq!(Adapting::asks_first(&look, 1, 0), None);
        let mut adapting = adapting();
        adapting.take(&TrainEvent::Adapted(look.clone()));
        adapting.take(&TrainEvent::Adapted(look));
        assert_eq!(adapting.held_out, [(0, 1.5)]);
    }
}
