//! Token files of the prepared corpus, and the windows that training and validation take from them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use moe_model::RoutingInputs;
use moe_router::draws::SplitMix64;

use super::IdsAndTargets;

/// One kind of text, as token ids.
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

/// Token ids and the token that follows each, `[sequences, tokens]` row-major.
pub struct Batch {
    pub ids: Vec<i32>,
    pub targets: Vec<i32>,
    pub num_sequences: usize,
    pub num_tokens: usize,
}

impl Corpus {
    /// Reads `manifest.json` and the token files of some domains beside it.
    pub fn open(folder: &Path, names: &[impl AsRef<str>]) -> Result<Corpus> {
        let manifest = read_manifest(folder)?;
        let known = manifest["domains"].as_array().context("manifest.json lists no domains")?;
        let domains = names
            .iter()
            .map(|name| {
                let name = name.as_ref();
                let domain = known.iter().find(|domain| domain["name"] == name);
                let domain = domain.with_context(|| format!("the corpus has no domain {name}"))?;
                let bytes = domain["valid"]["text_bytes"].as_f64().context("no size of the held-out text")?;
                let valid = read_tokens(&folder.join("valid").join(format!("{name}.bin")))?;
                Ok(Domain {
                    name: name.to_owned(),
                    train: read_tokens(&folder.join("train").join(format!("{name}.bin")))?,
                    valid_bytes_per_token: bytes / valid.len() as f64,
                    valid,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let vocab_size = manifest["vocabulary"].as_u64().context("no size of the vocabulary")? as usize;
        Ok(Corpus { domains, vocab_size })
    }

    /// The names of all domains of a prepared corpus, in its order.
    pub fn names(folder: &Path) -> Result<Vec<String>> {
        let manifest = read_manifest(folder)?;
        let domains = manifest["domains"].as_array().context("manifest.json lists no domains")?;
        Ok(domains.iter().filter_map(|domain| domain["name"].as_str().map(str::to_owned)).collect())
    }

    /// Is every domain longer than a window and the token that follows it?
    pub fn ensure_windows_of(&self, num_tokens: usize) -> Result<()> {
        for Domain { name, train, valid, .. } in &self.domains {
            let shortest = train.len().min(valid.len());
            ensure!(shortest > num_tokens + 1, "{name} has only {shortest} tokens; a window needs {}", num_tokens + 2);
        }
        Ok(())
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
    let offset = random.u64() as usize % (len - num_windows * num_tokens);
    offset + random.permutation(num_windows)[at] * num_tokens
}

impl Batch {
    /// Windows of `num_tokens + 1` tokens.
    pub fn new<'a>(windows: impl Iterator<Item = &'a [u16]>, num_tokens: usize) -> Batch {
        let mut batch = Batch { ids: Vec::new(), targets: Vec::new(), num_sequences: 0, num_tokens };
        for window in windows {
            batch.ids.extend(window[..num_tokens].iter().map(|&id| i32::from(id)));
            batch.targets.extend(window[1..].iter().map(|&id| i32::from(id)));
            batch.num_sequences += 1;
        }
        batch
    }

    /// What routing sees of a sequence besides gate logits. `draws`: of a layer, for all tokens of the batch in order;
    /// or none.
    pub fn routing_inputs(&self, draws: &RoutingInputs, sequence: usize) -> RoutingInputs {
        let positions = sequence * self.num_tokens..(sequence + 1) * self.num_tokens;
        let ids: Vec<u32> = self.ids[positions.clone()].iter().map(|&id| id as u32).collect();
        draws.at(positions, &ids)
    }

    pub fn to_tensors(&self, device: &Device) -> IdsAndTargets {
        let tensor = |values: &[i32]| -> Tensor<2, Int> {
            let data = TensorData::new(values.to_vec(), [self.num_sequences, self.num_tokens]);
            Tensor::from_data(data, (device, DType::I32))
        };
        (tensor(&self.ids), tensor(&self.targets))
    }
}

fn read_manifest(folder: &Path) -> Result<serde_json::Value> {
    let manifest = fs::read_to_string(folder.join("manifest.json"))
        .with_context(|| format!("no corpus in {}; run `moe-train prepare` first", folder.display()))?;
    Ok(serde_json::from_str(&manifest)?)
}

fn read_tokens(path: &Path) -> Result<Vec<u16>> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(bytes.len().is_multiple_of(2), "{} is cut off: an odd number of bytes", path.display());
    Ok(bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect())
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
