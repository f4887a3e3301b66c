//! `manifest.json`: what the corpus is made of, in numbers.

use serde::{Deserialize, Serialize};

/// The whole corpus. All hashes are SHA-256 in hex.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    pub vocabulary: usize,
    pub tokenizer_sha256: String,
    pub domains: Vec<DomainManifest>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DomainManifest {
    pub name: String,
    /// Empty for what we generate.
    pub packages: Vec<PackageManifest>,
    pub train: PartManifest,
    pub valid: PartManifest,
    /// Share of the held-out text's 48-byte windows that the training text has too.
    pub shared_fraction: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PackageManifest {
    pub registry: String,
    pub name: String,
    pub version: String,
    pub licence: String,
    pub sha256: String,
}

/// One side of the split: `<domain>.txt` and `<domain>.bin`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PartManifest {
    pub files: usize,
    pub documents: usize,
    pub text_bytes: usize,
    /// With the end after each document.
    pub tokens: usize,
    pub bytes_per_token: f64,
    pub text_sha256: String,
    pub tokens_sha256: String,
}

impl Manifest {
    /// A Markdown table, one row a domain.
    pub fn table(&self) -> String {
        let mut table =
            "| domain | train MB | valid kB | train tokens | bytes/token | documents | shared |\n".to_owned();
        table.push_str("| --- | --- | --- | --- | --- | --- | --- |\n");
        for domain in &self.domains {
            let DomainManifest { name, train, valid, .. } = domain;
            table.push_str(&format!(
                "| {name} | {:.2} | {:.0} | {} | {:.2} | {} + {} | {:.1} % |\n",
                train.text_bytes as f64 / 1e6,
                valid.text_bytes as f64 / 1e3,
                train.tokens,
                train.bytes_per_token,
                train.documents,
                valid.documents,
                100.0 * domain.shared_fraction,
            ));
        }
        table
    }
}
