//! Texts in which the right specialisation is known: each is written by one of a few character grammars, all over the
//! same letters, so that no single letter tells which.
//!
//! A grammar is a Markov chain: behind each letter come three others, with probabilities 0.6, 0.3 and 0.1. Whoever has
//! found out the grammar loses [`ENTROPY`] nats per letter; whoever has not, more.

use moe_router::draws::SplitMix64;

/// Letters of every grammar.
const LETTERS: &[u8; 12] = b"abcdefghikmn";

/// Of the successors of a letter, the most frequent first.
const CHANCES: [f64; 3] = [0.6, 0.3, 0.1];

/// Nats per letter that chance alone decides: `-Σ p ln p` of 0.6, 0.3, 0.1.
#[cfg(test)]
pub const ENTROPY: f64 = 0.897_945_724_8;

/// Behind each letter, three others.
type Grammar = Vec<[usize; 3]>;

/// So many bytes, written by the `number`th grammar of a seed.
pub fn write(seed: u64, number: u64, len: usize) -> Vec<u8> {
    let grammar = grammar(seed, number);
    let mut random = SplitMix64::mixed(&[seed, number, 1]);
    let mut letter = 0;
    let next = |_| {
        let mut left = random.uniform();
        let rank = CHANCES.iter().position(|chance| {
            left -= chance;
            left < 0.0
        });
        letter = grammar[letter][rank.unwrap_or(2)];
        LETTERS[letter]
    };
    (0..len).map(next).collect()
}

fn grammar(seed: u64, number: u64) -> Grammar {
    let mut random = SplitMix64::mixed(&[seed, number, 0]);
    let successors = |_| {
        let order = random.permutation(LETTERS.len());
        [order[0], order[1], order[2]]
    };
    (0..LETTERS.len()).map(successors).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Nats per letter for whoever knows how often each letter follows each other one.
    fn loss_of_pairs(text: &[u8]) -> f64 {
        let mut pairs = BTreeMap::<[u8; 2], f64>::new();
        let mut firsts = BTreeMap::<u8, f64>::new();
        for pair in text.windows(2) {
            *pairs.entry([pair[0], pair[1]]).or_default() += 1.0;
            *firsts.entry(pair[0]).or_default() += 1.0;
        }
        let total = (text.len() - 1) as f64;
        -pairs.iter().map(|(pair, count)| count / total * (count / firsts[&pair[0]]).ln()).sum::<f64>()
    }

    #[test]
    fn a_grammar_leaves_to_chance_what_it_says() {
        let expected: f64 = -CHANCES.iter().map(|p| p * p.ln()).sum::<f64>();
        assert!((expected - ENTROPY).abs() < 1e-9, "{expected}");
        let text = write(7, 0, 40_000);
        assert!((loss_of_pairs(&text) - ENTROPY).abs() < 0.02, "{}", loss_of_pairs(&text));
        // Two of them together are harder, though each letter is as frequent as before.
        let both: Vec<u8> = text.into_iter().chain(write(7, 1, 40_000)).collect();
        assert!(loss_of_pairs(&both) > ENTROPY + 0.3, "{}", loss_of_pairs(&both));
    }

    #[test]
    fn a_seed_writes_the_same_text() {
        assert_eq!(write(3, 1, 100), write(3, 1, 100));
        assert_ne!(write(3, 1, 100), write(3, 2, 100));
        assert_ne!(write(3, 1, 100), write(4, 1, 100));
    }
}
