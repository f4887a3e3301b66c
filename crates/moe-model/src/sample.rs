//! From logits to a token: greedy, or seeded sampling with temperature, top-k and top-p.

use moe_router::draws::SplitMix64;
use moe_trace::Sampling;

/// A token and its softmax probability at temperature 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    pub id: u32,
    pub probability: f32,
}

/// The model's expectation as probabilities, most probable first; equal ones by id.
pub fn ranked(logits: &[f32]) -> Vec<Choice> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let total: f64 = logits.iter().map(|logit| f64::from(logit - largest).exp()).sum();
    let probability = |logit: &f32| (f64::from(logit - largest).exp() / total) as f32;
    let mut choices: Vec<Choice> =
        logits.iter().zip(0..).map(|(logit, id)| Choice { id, probability: probability(logit) }).collect();
    // By logit: distinct logits may share a probability of 0.
    choices.sort_by(|a, b| logits[b.id as usize].total_cmp(&logits[a.id as usize]).then(a.id.cmp(&b.id)));
    choices
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

    /// Takes a token from [`ranked`] choices.
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
        let ranked = ranked(&logits());
        assert_eq!(ranked.iter().map(|choice| choice.id).collect::<Vec<_>>(), [2, 0, 1, 3]);
        assert!((ranked[1].probability - 0.25).abs() < 1e-6);
    }

    #[test]
    fn frequencies_follow_temperature_and_cuts() {
        let check = |temperature, top_k, top_p, expected: [f64; 4]| {
            let mut random = SplitMix64::new(7);
            let ranked = ranked(&logits());
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
        assert_eq!(sample(&ranked(&logits()), Sampling::Greedy, &mut random).id, 2);
        let cold = Sampling::Random { temperature: 0.0, top_k: 0, top_p: 1.0 };
        assert_eq!(sample(&ranked(&logits()), cold, &mut random).id, 2);
    }
}
