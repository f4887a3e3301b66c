//! The prepared corpus on disk: `manifest.json`, and a file of token ids for each kind of text and part.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use moe_learn::{Corpus, Domain};

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

/// All domains of a prepared corpus, in its order.
pub fn open_all(folder: &Path) -> Result<Corpus> {
    let manifest = read_manifest(folder)?;
    let domains = manifest["domains"].as_array().context("manifest.json lists no domains")?;
    let names: Vec<&str> = domains.iter().filter_map(|domain| domain["name"].as_str()).collect();
    open(folder, &names)
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
