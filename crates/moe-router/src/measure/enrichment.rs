//! Which tokens or kinds of text an expert is asked by more often than chance, and how sure that is.
//!
//! The null is hypergeometric, as in Fisher's exact test: of all tokens some ask the expert, and if it does not matter
//! which they are, those with a key are among them as if drawn without replacement. It takes tokens as independent, which
//! neighbours in a text are not quite; so what is found should be found again in text that was not looked at. Many keys
//! tried at once are held to a false-discovery rate by Benjamini and Hochberg (1995, J. R. Stat. Soc. B 57, 289-300).

use crate::gate::sorted;

/// Tokens, and how many of them ask an expert, have a key, or do both.
///
/// ```
/// use moe_router::measure::{KeyCounts, LnFactorials};
///
/// // Four of ten tokens ask the expert, and so do all three that are "the". Lift (3 / 3) / (4 / 10); of the
/// // C(10, 4) = 210 ways to choose four tokens, C(3, 3) · C(7, 1) = 7 have all three.
/// let counts = KeyCounts { tokens: 10, asked: 4, of_key: 3, both: 3 };
/// assert!((counts.lift() - 2.5).abs() < 1e-12);
/// assert!((counts.chance_of_as_many(&LnFactorials::up_to(10)) - 7.0 / 210.0).abs() < 1e-12);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyCounts {
    /// All tokens.
    pub tokens: usize,
    /// Tokens that ask the expert.
    pub asked: usize,
    /// Tokens with the key.
    pub of_key: usize,
    /// Tokens with the key that ask the expert.
    pub both: usize,
}

impl KeyCounts {
    /// The share of the key's tokens that ask the expert, over that of all tokens: 1 is chance. 0 where there are none.
    pub fn lift(&self) -> f64 {
        let expected = self.expected();
        if expected > 0.0 { self.both as f64 / expected } else { 0.0 }
    }

    /// Tokens that would do both by chance.
    pub fn expected(&self) -> f64 {
        self.asked as f64 * self.of_key as f64 / self.tokens.max(1) as f64
    }

    /// The probability that by chance at least as many tokens do both: the upper tail of the hypergeometric distribution.
    pub fn chance_of_as_many(&self, factorials: &LnFactorials) -> f64 {
        let KeyCounts { tokens, asked, of_key, both } = *self;
        let most = asked.min(of_key);
        // Fewer cannot be: the tokens that do not ask it may be too few for the rest of the key's.
        let least = (asked + of_key).saturating_sub(tokens);
        if both <= least {
            return 1.0;
        }
        let all = factorials.choose(tokens, asked);
        let probability = |number: usize| {
            (factorials.choose(of_key, number) + factorials.choose(tokens - of_key, asked - number) - all).exp()
        };
        (both..=most).map(probability).sum::<f64>().min(1.0)
    }
}

/// `ln n!` for every n up to some number.
#[derive(Debug, Clone)]
pub struct LnFactorials(Vec<f64>);

impl LnFactorials {
    /// Up to and with `number`.
    pub fn up_to(number: usize) -> LnFactorials {
        let mut sums = vec![0.0; number + 1];
        for at in 1..=number {
            sums[at] = sums[at - 1] + (at as f64).ln();
        }
        LnFactorials(sums)
    }

    /// `ln` of n over k, for k up to n, and n up to the number it was made for.
    fn choose(&self, n: usize, k: usize) -> f64 {
        self.0[n] - self.0[k] - self.0[n - k]
    }
}

/// For every p-value the smallest false-discovery rate at which its test is still rejected: `p · m / rank`, made monotone
/// from the largest down.
///
/// ```
/// use moe_router::measure::benjamini_hochberg;
///
/// // 0.01 · 4 / 1, 0.02 · 4 / 2, and 0.03 · 4 / 3, which is 0.04 as well.
/// let rates = benjamini_hochberg(&[0.03, 0.01, 0.9, 0.02]);
/// assert!(rates.iter().zip([0.04, 0.04, 0.9, 0.04]).all(|(found, expected)| (found - expected).abs() < 1e-12));
/// ```
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let order = sorted(p_values.len(), &|a, b| p_values[a].total_cmp(&p_values[b]));
    let mut rates = vec![1.0; p_values.len()];
    let mut least = 1.0_f64;
    for (at, &test) in order.iter().enumerate().rev() {
        least = least.min(p_values[test] * p_values.len() as f64 / (at + 1) as f64);
        rates[test] = least;
    }
    rates
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::SplitMix64;

    /// Of all ways to let `asked` of `tokens` ask the expert, the share in which at least `both` of the first `of_key` do.
    fn by_enumeration(counts: KeyCounts) -> f64 {
        let KeyCounts { tokens, asked, of_key, both } = counts;
        let ways = (0_u32..1 << tokens).filter(|set| set.count_ones() as usize == asked);
        let (mut all, mut as_many) = (0_u32, 0_u32);
        for set in ways {
            all += 1;
            as_many += u32::from((set & ((1 << of_key) - 1)).count_ones() as usize >= both);
        }
        f64::from(as_many) / f64::from(all)
    }

    #[test]
    fn the_tail_is_the_share_of_all_ways() {
        let tokens = 9;
        let factorials = LnFactorials::up_to(tokens);
        for asked in 0..=tokens {
            for of_key in 0..=tokens {
                for both in 0..=asked.min(of_key) {
                    let counts = KeyCounts { tokens, asked, of_key, both };
                    let (found, expected) = (counts.chance_of_as_many(&factorials), by_enumeration(counts));
                    assert!((found - expected).abs() < 1e-12, "{counts:?}: {found}, and counted {expected}");
                }
            }
        }
    }

    /// Shuffling who asks the expert gives the same, as near as so many shuffles can tell.
    #[test]
    fn the_tail_is_what_shuffling_gives() {
        let counts = KeyCounts { tokens: 200, asked: 50, of_key: 30, both: 12 };
        let expected = counts.chance_of_as_many(&LnFactorials::up_to(200));
        let mut draws = SplitMix64::new(7);
        let mut as_many = 0;
        let num_shuffles = 20_000;
        for _ in 0..num_shuffles {
            let order = draws.permutation(counts.tokens);
            as_many += usize::from(order[..counts.asked].iter().filter(|&&token| token < counts.of_key).count() >= 12);
        }
        let found = as_many as f64 / f64::from(num_shuffles);
        let deviation = (expected * (1.0 - expected) / f64::from(num_shuffles)).sqrt();
        assert!((found - expected).abs() < 4.0 * deviation, "{found} by shuffling, {expected} computed");
    }

    #[test]
    fn nothing_to_count() {
        let nothing = KeyCounts::default();
        assert_eq!((nothing.lift(), nothing.chance_of_as_many(&LnFactorials::up_to(0))), (0.0, 1.0));
        // Everybody asks: no key can do so more often.
        let all = KeyCounts { tokens: 6, asked: 6, of_key: 2, both: 2 };
        assert_eq!((all.lift(), all.chance_of_as_many(&LnFactorials::up_to(6))), (1.0, 1.0));
        assert!(benjamini_hochberg(&[]).is_empty());
    }

    /// What the rate means: reject all tests up to the largest rank i with p ≤ rate · i / m.
    #[test]
    fn rates_reject_what_the_procedure_rejects() {
        let mut draws = SplitMix64::new(3);
        for _ in 0..50 {
            let p_values: Vec<f64> = (0..12).map(|_| f64::from(draws.uniform_f32()).powi(2)).collect();
            let rates = benjamini_hochberg(&p_values);
            let mut sorted = p_values.clone();
            sorted.sort_by(f64::total_cmp);
            for rate in [0.01, 0.05, 0.1, 0.3] {
                let last = (0..12).rev().find(|&at| sorted[at] <= rate * (at + 1) as f64 / 12.0);
                let limit = last.map_or(-1.0, |last| sorted[last]);
                for (p, q) in p_values.iter().zip(&rates) {
                    // A rate computed is not one to the last bit.
                    assert_eq!(*p <= limit, *q <= rate * (1.0 + 1e-12), "p {p}, rate {q} at {rate}");
                }
            }
        }
    }
}
