//! Texts as token ids, and the windows that training and validation take from them.

use moe_router::draws::SplitMix64;

use crate::batch::Batch;

/// One kind of text.
pub struct Domain {
    pub name: String,
    pub train: Vec<u16>,
    pub valid: Vec<u16>,
    /// Bytes of held-out text per held-out token, to turn nats per token into bits per byte.
    pub valid_bytes_per_token: f64,
}

pub struct Corpus {
    pub domains: Vec<Domain>,
    pub vocab_size: usize,
}

/// A kind of text with fewer tokens than a window and the token that follows it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} has only {found} tokens; a window needs {needed}")]
pub struct TooShort {
    pub name: String,
    pub found: usize,
    pub needed: usize,
}

impl Corpus {
    /// Is every domain longer than a window and the token that follows it?
    pub fn ensure_windows_of(&self, num_tokens: usize) -> Result<(), TooShort> {
        let needed = num_tokens + 2;
        let shortest = |domain: &Domain| domain.train.len().min(domain.valid.len());
        match self.domains.iter().find(|domain| shortest(domain) < needed) {
            Some(domain) => Err(TooShort { name: domain.name.clone(), found: shortest(domain), needed }),
            None => Ok(()),
        }
    }

    pub fn domain_names(&self) -> Vec<&str> {
        self.domains.iter().map(|domain| domain.name.as_str()).collect()
    }

    /// Windows of the domains in turn, so that all are equally frequent, whatever their sizes. Depends on seed and step
    /// alone, so that a resumed run sees what an uninterrupted one would.
    pub fn training_batch(&self, num_sequences: usize, num_tokens: usize, seed: u64, step: usize) -> Batch {
        let windows = (0..num_sequences).map(|sequence| {
            let (turn, domain) = {
                let drawn = step * num_sequences + sequence;
                (drawn / self.domains.len(), drawn % self.domains.len())
            };
            let tokens = &self.domains[domain].train;
            let start = window_start(tokens.len(), num_tokens, turn, [seed, domain as u64]);
            &tokens[start..=start + num_tokens]
        });
        Batch::new(windows, num_tokens)
    }

    /// Held-out windows, evenly spread, domain after domain; as many of each domain.
    pub fn held_out_batch(&self, num_windows: usize, num_tokens: usize) -> Batch {
        let windows = self.domains.iter().flat_map(|domain| domain.held_out_windows(num_windows, num_tokens));
        Batch::new(windows, num_tokens)
    }
}

impl Domain {
    /// `[num_windows][num_tokens + 1]`, evenly spread, the first at the beginning.
    pub fn held_out_windows(&self, num_windows: usize, num_tokens: usize) -> impl Iterator<Item = &[u16]> {
        let stride = (self.valid.len() - num_tokens - 1) / num_windows;
        (0..num_windows).map(move |window| &self.valid[window * stride..=window * stride + num_tokens])
    }
}

/// Where the window of a turn begins in a text of `len` tokens: all windows that lie side by side, shuffled, before any
/// comes again; then as many others, between them.
fn window_start(len: usize, num_tokens: usize, turn: usize, seeds: [u64; 2]) -> usize {
    let num_windows = ((len - 1) / num_tokens).saturating_sub(1).max(1);
    let (epoch, at) = (turn / num_windows, turn % num_windows);
    let mut random = SplitMix64::mixed(&[seeds[0], seeds[1], epoch as u64]);
    let offset = (random.u64() % (len - num_windows * num_tokens) as u64) as usize;
    offset + random.permutation(num_windows)[at] * num_tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_takes_windows_side_by_side_and_the_next_one_others() {
        let (len, num_tokens) = (2000, 16);
        let num_windows = 1999 / 16 - 1;
        let starts_of = |epoch: usize, seed: u64| -> Vec<usize> {
            (0..num_windows).map(|at| window_start(len, num_tokens, epoch * num_windows + at, [seed, 0])).collect()
        };
        let first = starts_of(0, 1);
        let mut sorted = first.clone();
        sorted.sort_unstable();
        assert!(sorted.windows(2).all(|pair| pair[1] == pair[0] + num_tokens), "{sorted:?}");
        assert!(sorted[num_windows - 1] + num_tokens < len);
        assert_ne!(first, sorted);
        for other in [starts_of(1, 1), starts_of(0, 2)] {
            let repeated = first.iter().zip(&other).filter(|(a, b)| a == b).count();
            assert!(repeated * 10 < num_windows, "{repeated} of {num_windows} windows come at the same turn again");
        }
    }

    #[test]
    fn a_text_of_one_window_gives_it_every_turn() {
        for turn in 0..5 {
            assert_eq!(window_start(17, 16, turn, [3, 0]), 0);
            assert!(window_start(40, 16, turn, [3, 0]) + 16 < 40);
        }
    }

    #[test]
    fn domains_take_turns_across_steps() {
        let domain = |name: &str, id: u16| Domain {
            name: name.to_owned(),
            train: vec![id; 100],
            valid: vec![id; 100],
            valid_bytes_per_token: 1.0,
        };
        let corpus = Corpus { domains: vec![domain("a", 0), domain("b", 1), domain("c", 2)], vocab_size: 3 };
        let ids: Vec<i32> = (0..3).flat_map(|step| corpus.training_batch(2, 1, 7, step).ids).collect();
        assert_eq!(ids, [0, 1, 2, 0, 1, 2]);
    }
}
