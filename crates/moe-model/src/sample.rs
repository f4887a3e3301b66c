//! From logits to a token: greedy, or seeded sampling with temperature, top-k and top-p.

use std::cmp::Ordering;

use moe_kernels::exp::{exp, largest, sum_of_exp};
use moe_router::draws::SplitMix64;
use moe_trace::Sampling;

/// A token and its softmax probability at temperature 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    pub id: u32,
    pub probability: f32,
}

/// What the model expects to come next.
#[derive(Debug, Clone, Copy)]
pub struct Expectation<'a> {
    logits: &'a [f32],
    largest: f32,
    /// Of `e^(logit − largest)` over the vocabulary.
    total: f64,
}

impl Expectation<'_> {
    /// `logits`: `[vocabulary]`, finite.
    pub fn new(logits: &[f32]) -> Expectation<'_> {
        let largest = largest(logits);
        Expectation { logits, largest, total: sum_of_exp(logits, largest) }
    }

    /// A token of the vocabulary, with its probability.
    pub fn of(&self, id: u32) -> Choice {
        let logit = self.logits[id as usize];
        Choice { id, probability: (f64::from(exp(logit - self.largest)) / self.total) as f32 }
    }

    /// The `count` most probable tokens, or all where there are fewer, the most probable first; equal ones by id. Only
    /// these are sorted.
    pub fn first(&self, count: usize) -> Vec<Choice> {
        // By logit: distinct logits may share a probability of 0.
        let logit = |id: u32| self.logits[id as usize];
        let order = |a: &u32, b: &u32| logit(*b).total_cmp(&logit(*a)).then(a.cmp(b));
        let ids = if count <= FEW {
            few_first(self.logits, count, order)
        } else {
            let mut ids: Vec<u32> = (0..self.logits.len() as u32).collect();
            if count < ids.len() {
                ids.select_nth_unstable_by(count, order);
                ids.truncate(count);
            }
            ids.sort_unstable_by(order);
            ids
        };
        ids.into_iter().map(|id| self.of(id)).collect()
    }
}

/// So many are found faster in one sweep that keeps them in order.
const FEW: usize = 32;

/// So many logits are looked at together: mostly none of them is larger than the last of those already found.
const TOGETHER: usize = 32;

/// The first `count` ids of the vocabulary in this order, which is by logit first, in one sweep.
fn few_first(logits: &[f32], count: usize, order: impl Fn(&u32, &u32) -> Ordering) -> Vec<u32> {
    let mut first: Vec<u32> = Vec::with_capacity(count + 1);
    let mut least = f32::NEG_INFINITY;
    for (chunk, ids) in logits.chunks(TOGETHER).zip((0..).step_by(TOGETHER)) {
        if largest(chunk) < least {
            continue;
        }
        for id in ids..ids + chunk.len() as u32 {
            let at = first.iter().rposition(|found| order(found, &id).is_lt()).map_or(0, |last| last + 1);
            if at < count {
                first.truncate(count - 1);
                first.insert(at, id);
            }
        }
        if first.len() == count {
            least = first.last().map_or(f32::INFINITY, |&last| logits[last as usize]);
        }
    }
    first
}

/// How many of the most probable tokens sampling may look at.
pub fn num_considered(sampling: Sampling) -> usize {
    match sampling {
        Sampling::Random { temperature, top_k: 0, .. } if temperature > 0.0 => usize::MAX,
        Sampling::Random { temperature, top_k, .. } if temperature > 0.0 => top_k as usize,
        Sampling::Greedy | Sampling::Random { .. } => 1,
    }
}

/// The random numbers of sampling: the same seed gives the same text on every machine.
#[derive(Debug, Clone)]
pub struct Seeded {
    random: SplitMix64,
}

impl Seeded {
    pub fn new(seed: u32) -> Seeded {
        Seeded { random: SplitMix64::new(u64::from(seed)) }
    }

    /// Takes a token of the most probable ones, of which there are at least [`num_considered`], or all.
    pub fn sample(&mut self, ranked: &[Choice], sampling: Sampling) -> Choice {
        sample(ranked, sampling, &mut self.random)
    }
}

fn sample(ranked: &[Choice], sampling: Sampling, random: &mut SplitMix64) -> Choice {
    let Sampling::Random { temperature, top_k, top_p } = sampling else {
        return ranked[0];
    };
    if temperature <= 0.0 {
        return ranked[0];
    }
    let considered = match top_k as usize {
        0 => ranked.len(),
        k => k.min(ranked.len()),
    };
    // p^(1/T), relative to the largest so that nothing underflows at low temperatures.
    let scale = |choice: &Choice| {
        let log = (f64::from(choice.probability) / f64::from(ranked[0].probability)).ln();
        (log / f64::from(temperature)).exp()
    };
    let weights: Vec<f64> = ranked[..considered].iter().map(scale).collect();
    let total: f64 = weights.iter().sum();
    let mut reached = 0.0;
    let kept = weights
        .iter()
        .position(|weight| {
            reached += weight;
            reached >= f64::from(top_p) * total
        })
        .map_or(considered, |last| last + 1);
    let kept_total: f64 = weights[..kept].iter().sum();
    let mut left = random.uniform() * kept_total;
    for (choice, weight) in ranked.iter().zip(&weights[..kept]) {
        left -= weight;
        if left < 0.0 {
            return *choice;
        }
    }
    ranked[kept - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    // Probabilities 1/2, 1/4, 1/8, 1/8 of ids 2, 0, 1, 3.
    fn logits() -> Vec<f32> {
        [0.25f32, 0.125, 0.5, 0.125].map(f32::ln).to_vec()
    }

    #[test]
    fn ranked_by_probability_then_id() {
        let ranked = Expectation::new(&logits()).first(4);
        assert_eq!(ranked.iter().map(|choice| choice.id).collect::<Vec<_>>(), [2, 0, 1, 3]);
        assert!((ranked[1].probability - 0.25).abs() < 1e-6);
    }

    #[test]
    fn the_first_few_are_those_of_all_sorted() {
        let mut random = SplitMix64::new(3);
        for len in [1, 2, 9, 10, 11, 300] {
            // So few different logits that there are ties everywhere.
            let logits: Vec<f32> = (0..len).map(|_| (random.uniform() * 6.0).floor() as f32).collect();
            let expectation = Expectation::new(&logits);
            let mut sorted: Vec<Choice> = (0..len).map(|id| expectation.of(id)).collect();
            sorted.sort_by(|a, b| b.probability.total_cmp(&a.probability));
            for count in [0, 1, 2, 10, 40, 300, usize::MAX] {
                assert_eq!(expectation.first(count), sorted[..count.min(sorted.len())], "{count} of {len}");
            }
        }
    }

    #[test]
    fn what_is_not_looked_at_need_not_be_sorted() {
        let mut whole = SplitMix64::new(5);
        let logits: Vec<f32> = (0..200).map(|_| whole.normal() as f32 * 3.0).collect();
        let expectation = Expectation::new(&logits);
        for (temperature, top_k, top_p) in
            [(1.0, 0, 1.0), (0.8, 40, 0.9), (2.0, 3, 1.0), (0.0, 0, 1.0), (1.0, 500, 0.5)]
        {
            let sampling = Sampling::Random { temperature, top_k, top_p };
            let (all, few) = (expectation.first(usize::MAX), expectation.first(num_considered(sampling)));
            let (mut of_all, mut of_few) = (Seeded::new(9), Seeded::new(9));
            for _ in 0..20 {
                assert_eq!(of_all.sample(&all, sampling), of_few.sample(&few, sampling), "{sampling:?}");
            }
        }
    }

    #[test]
    fn frequencies_follow_temperature_and_cuts() {
        let check = |temperature, top_k, top_p, expected: [f64; 4]| {
            let mut random = SplitMix64::new(7);
            let ranked = Expectation::new(&logits()).first(4);
            let mut counts = [0.0; 4];
            for _ in 0..20_000 {
                let sampling = Sampling::Random { temperature, top_k, top_p };
                counts[sample(&ranked, sampling, &mut random).id as usize] += 1.0 / 20_000.0;
            }
            for (count, expected) in counts.iter().zip(expected) {
                assert!((count - expected).abs() < 0.02, "{counts:?} is not {expected:?}");
            }
        };
        check(1.0, 0, 1.0, [0.25, 0.125, 0.5, 0.125]);
        // At temperature 1/2 probabilities are squared: 16 : 4 : 1 : 1.
        check(0.5, 0, 1.0, [4.0 / 22.0, 1.0 / 22.0, 16.0 / 22.0, 1.0 / 22.0]);
        check(1.0, 2, 1.0, [1.0 / 3.0, 0.0, 2.0 / 3.0, 0.0]);
        // One half is reached by the first token alone.
        check(1.0, 0, 0.5, [0.0, 0.0, 1.0, 0.0]);
    }

    #[test]
    fn greedy_takes_the_first() {
        let mut random = SplitMix64::new(1);
        let ranked = Expectation::new(&logits()).first(1);
        assert_eq!(sample(&ranked, Sampling::Greedy, &mut random).id, 2);
        let cold = Sampling::Random { temperature: 0.0, top_k: 0, top_p: 1.0 };
        assert_eq!(sample(&ranked, cold, &mut random).id, 2);
    }
}
