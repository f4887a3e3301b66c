//! The corpus: six domains of text from registry packages, split, deduplicated and turned into tokens; and a seventh of
//! questions and answers, for instruction tuning.
//!
//! What [`run`] leaves in its folder:
//!
//! - `train/<domain>.txt`, `valid/<domain>.txt`: UTF-8, documents separated by [`document::RECORD_SEPARATOR`]
//! - `train/<domain>.bin`, `valid/<domain>.bin`: the same as little-endian u16 token ids, an end after each document
//! - `tokenizer.json`: byte-level BPE of 1,024 tokens
//! - `manifest.json`: packages, licences, sizes, hashes
//! - `work/`: the packages, so that a second run downloads nothing

pub(crate) mod archive;
mod arithmetic;
mod debian;
mod dedupe;
pub mod document;
mod instructions;
mod json;
pub mod manifest;
mod npm;
mod package;
mod prose;
mod rdb;
mod registry;
mod rust_source;
pub mod sample;
mod spanish;
mod speech;
mod split;
mod sword;
pub mod tokenizer;

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use moe_model::manifest::sha256_hex;
use tokenizers::Tokenizer;

use document::Document;
use manifest::{DomainManifest, Manifest, PackageManifest, PartManifest};
use package::{Package, Unpacked};
use split::Split;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    Prose,
    Speech,
    Spanish,
    Rust,
    Json,
    Arithmetic,
    Instructions,
}

impl Domain {
    pub const ALL: [Domain; 7] = [
        Domain::Prose,
        Domain::Speech,
        Domain::Spanish,
        Domain::Rust,
        Domain::Json,
        Domain::Arithmetic,
        Domain::Instructions,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Domain::Prose => "prose",
            Domain::Speech => "speech",
            Domain::Spanish => "spanish",
            Domain::Rust => "rust",
            Domain::Json => "json",
            Domain::Arithmetic => "arithmetic",
            Domain::Instructions => "instructions",
        }
    }

    fn packages(self) -> &'static [Package] {
        match self {
            Domain::Prose => prose::PACKAGES,
            Domain::Speech => speech::PACKAGES,
            Domain::Spanish => spanish::PACKAGES,
            Domain::Rust => rust_source::PACKAGES,
            Domain::Json => json::PACKAGES,
            Domain::Arithmetic | Domain::Instructions => &[],
        }
    }

    /// Those to hold out come first.
    fn documents(self, packages: &[Unpacked]) -> Result<Vec<Document>> {
        match self {
            Domain::Prose => prose::documents(packages),
            Domain::Speech => speech::documents(packages),
            Domain::Spanish => spanish::documents(packages),
            Domain::Rust => rust_source::documents(packages),
            Domain::Json => json::documents(packages),
            Domain::Arithmetic => Ok(arithmetic::documents()),
            Domain::Instructions => Ok(instructions::documents()),
        }
    }
}

/// Text of each domain that the tokenizer learns from.
const TOKENIZER_BYTES_PER_DOMAIN: usize = 1_500_000;

/// Makes the corpus in the folder `out`. A domain whose package cannot be downloaded is an error that names both.
pub fn run(out: &Path) -> Result<Manifest> {
    let work = out.join("work");
    for folder in [out.join("train"), out.join("valid"), work.clone()] {
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }

    let mut domains = Vec::new();
    for domain in Domain::ALL {
        let context = || format!("the domain {} cannot be prepared", domain.name());
        let packages =
            domain.packages().iter().map(|package| registry::fetch(*package, &work)).collect::<Result<Vec<_>>>();
        let packages = packages.with_context(context)?;
        let split = split::split(domain.documents(&packages).with_context(context)?);
        eprintln!("{}: {} documents, {} held out", domain.name(), split.train.len(), split.valid.len());
        domains.push((domain, packages, split));
    }

    eprintln!("training the tokenizer");
    // Of what the language model is trained on; questions and answers are for its variant.
    let of_language = domains.iter().filter(|(domain, _, _)| *domain != Domain::Instructions);
    let tokenizer = tokenizer::train(of_language.flat_map(|(_, _, split)| tokenizer_sample(&split.train)))?;
    let json = tokenizer.to_string(true).map_err(|error| anyhow!("writing the tokenizer: {error}"))?;
    fs::write(out.join("tokenizer.json"), &json)?;

    let mut manifest = Manifest {
        vocabulary: tokenizer::VOCABULARY,
        tokenizer_sha256: sha256_hex(json.as_bytes()),
        domains: Vec::new(),
    };
    for (domain, packages, Split { train, valid }) in &domains {
        eprintln!("writing {}", domain.name());
        manifest.domains.push(DomainManifest {
            name: domain.name().to_owned(),
            packages: packages.iter().map(package_manifest).collect(),
            train: write_part(&out.join("train"), *domain, train, &tokenizer)?,
            valid: write_part(&out.join("valid"), *domain, valid, &tokenizer)?,
            shared_fraction: dedupe::shared_fraction(&document::join(train), &document::join(valid)),
        });
    }
    fs::write(out.join("manifest.json"), serde_json::to_string_pretty(&manifest)? + "\n")?;
    Ok(manifest)
}

/// Documents from all over the domain: every n-th, so that together they have the wanted bytes.
fn tokenizer_sample(documents: &[Document]) -> impl Iterator<Item = &str> {
    let total: usize = documents.iter().map(|document| document.text.len()).sum();
    let fraction = (TOKENIZER_BYTES_PER_DOMAIN as f64 / total as f64).min(1.0);
    let wanted = move |num_documents: usize| (num_documents as f64 * fraction) as usize;
    let chosen = documents.iter().enumerate().filter(move |(i, _)| wanted(i + 1) > wanted(*i));
    chosen.map(|(_, document)| document.text.as_str())
}

fn write_part(folder: &Path, domain: Domain, documents: &[Document], tokenizer: &Tokenizer) -> Result<PartManifest> {
    let text = document::join(documents);
    let mut ids = Vec::new();
    for document in documents {
        let document_ids = tokenizer::encode(tokenizer, &document.text)?;
        ensure!(
            tokenizer::decode(tokenizer, &document_ids)? == document.text,
            "{} is not what its tokens say",
            document.file
        );
        ids.extend(document_ids);
        ids.push(tokenizer::END_ID);
    }
    let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
    fs::write(folder.join(format!("{}.txt", domain.name())), &text)?;
    fs::write(folder.join(format!("{}.bin", domain.name())), &bytes)?;
    Ok(PartManifest {
        files: documents.iter().map(|document| &document.file).collect::<HashSet<_>>().len(),
        documents: documents.len(),
        text_bytes: text.len(),
        tokens: ids.len(),
        bytes_per_token: text.len() as f64 / ids.len() as f64,
        text_sha256: sha256_hex(text.as_bytes()),
        tokens_sha256: sha256_hex(&bytes),
    })
}

fn package_manifest(unpacked: &Unpacked) -> PackageManifest {
    PackageManifest {
        registry: unpacked.package.registry.label().to_owned(),
        name: unpacked.package.name.to_owned(),
        version: unpacked.version.clone(),
        licence: unpacked.package.licence.to_owned(),
        sha256: unpacked.sha256.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tokenizer_sees_all_of_a_small_domain_and_some_of_a_large_one() {
        let small = vec![Document::new("a", "text"); 10];
        assert_eq!(tokenizer_sample(&small).count(), 10);
        let large = vec![Document::new("a", &"x".repeat(TOKENIZER_BYTES_PER_DOMAIN / 4 - 1)); 16];
        assert_eq!(tokenizer_sample(&large).count(), 4);
    }
}
