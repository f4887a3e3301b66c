//! What reshaping came to: a model's folder with its numbers and its card.

use std::fs;
use std::path::Path;

use anyhow::Result;
use moe_learn::Learner;
use moe_model::architecture::Architecture;
use moe_model::manifest::{FileEntry, MANIFEST_VERSION, sha256_hex};
use moe_model::{Manifest, checkpoint};
use moe_trace::RoutingSpec;
use serde::{Deserialize, Serialize};

use super::model::Source;

/// A model on the way, measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    pub what: String,
    /// That it has learned since it was shipped.
    pub steps: usize,
    pub num_parameters: usize,
    /// Kinds of text and held-out bits per byte.
    pub domains: Vec<(String, f64)>,
}

impl Row {
    /// Of all kinds of text alike.
    pub fn mean(&self) -> f64 {
        self.domains.iter().map(|(_, bits)| bits).sum::<f64>() / self.domains.len().max(1) as f64
    }
}

/// `reshaped.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Of the model that came of it.
    pub name: String,
    pub source: String,
    /// Of the weights that it began with, as they are shipped, SHA-256.
    pub source_sha256: String,
    /// What was done, in sentences.
    pub says: String,
    /// The shipped model first.
    pub rows: Vec<Row>,
}

impl Report {
    pub fn new(source: &Source, name: String) -> Report {
        let manifest = &source.model.manifest;
        Report {
            name,
            source: manifest.name.clone(),
            source_sha256: manifest.weights.sha256.clone(),
            says: String::new(),
            rows: Vec::new(),
        }
    }

    /// Writes the model, its numbers and its card. `tokens`: those that it learned from since it was shipped.
    pub fn write(
        &self,
        source: &Source,
        learner: &Learner,
        rule: RoutingSpec,
        tokens: usize,
        out: &Path,
    ) -> Result<()> {
        let folder = out.join(&self.name);
        fs::create_dir_all(&folder)?;
        let write = |file: &str, bytes: &[u8]| -> Result<FileEntry> {
            fs::write(folder.join(file), bytes)?;
            Ok(FileEntry { file: file.to_owned(), bytes: u32::try_from(bytes.len())?, sha256: sha256_hex(bytes) })
        };
        let architecture = Architecture::MoePlayground;
        let weights = checkpoint::to_bytes(&checkpoint::named(&learner.weights, architecture))?;
        let before = source.model.manifest.training_tokens;
        let manifest = Manifest {
            version: MANIFEST_VERSION,
            name: self.name.clone(),
            title: format!("made of {}", self.source),
            architecture,
            config: learner.config.clone(),
            trained_routing: rule,
            training_tokens: before.and_then(|before| before.checked_add(u32::try_from(tokens).ok()?)),
            weights: write("weights.safetensors", &weights)?,
            tokenizer: write("tokenizer.json", &source.model.bytes(&source.model.manifest.tokenizer.file)?)?,
            history: None,
        };
        fs::write(folder.join("manifest.json"), serde_json::to_string_pretty(&manifest)? + "\n")?;
        fs::write(folder.join("reshaped.json"), serde_json::to_string_pretty(self)? + "\n")?;
        fs::write(folder.join("MODEL_CARD.md"), self.card())?;
        println!("\n{}\n\n{}", self.table(), folder.display());
        Ok(())
    }

    fn card(&self) -> String {
        let Report { name, source, source_sha256, says, .. } = self;
        format!(
            "# {name}\n\nMade of `{source}` (weights {source_sha256}). {says}\n\n## What it costs\n\nHeld-out bits per byte in \
             f32, lower is better: eight windows of each kind of text, which is less than in the cards of the shipped models, \
             so numbers compare within this table. Routed as in training.\n\n{}\n\n{}\n\nText, licences and tokenizer are \
             those of `{source}`; so is what it is not good for.\n",
            self.table(),
            self.verdict(),
        )
    }

    /// Each model less the shipped one.
    fn verdict(&self) -> String {
        let Some((shipped, others)) = self.rows.split_first() else { return String::new() };
        let cost = |row: &Row| format!("{}: {:+.4}", row.what, row.mean() - shipped.mean());
        format!("Against the shipped model, bits per byte: {}.", others.iter().map(cost).collect::<Vec<_>>().join("; "))
    }

    fn table(&self) -> String {
        let names: Vec<&str> =
            self.rows.first().into_iter().flat_map(|row| &row.domains).map(|(name, _)| &name[..]).collect();
        let mut lines = vec![
            format!("| model | steps | parameters | {} | mean |", names.join(" | ")),
            format!("| --- | ---: | ---: |{} ---: |", " ---: |".repeat(names.len())),
        ];
        lines.extend(self.rows.iter().map(|row| {
            let bits: String = row.domains.iter().map(|(_, bits)| format!(" {bits:.3} |")).collect();
            format!("| {} | {} | {} |{bits} {:.4} |", row.what, row.steps, row.num_parameters, row.mean())
        }));
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_has_every_row_and_what_each_costs() {
        let row = |what: &str, steps, bits: [f64; 2]| Row {
            what: what.to_owned(),
            steps,
            num_parameters: 1000,
            domains: vec![("prose".to_owned(), bits[0]), ("json".to_owned(), bits[1])],
        };
        let report = Report {
            name: "small-distilled".to_owned(),
            source: "small".to_owned(),
            source_sha256: "abc".to_owned(),
            says: "It was taught.".to_owned(),
            rows: vec![row("experts", 0, [2.0, 1.0]), row("distilled", 30, [2.25, 1.25])],
        };
        let card = report.card();
        assert!(card.contains("| model | steps | parameters | prose | json | mean |"), "{card}");
        assert!(card.contains("| distilled | 30 | 1000 | 2.250 | 1.250 | 1.7500 |"), "{card}");
        assert!(card.contains("distilled: +0.2500."), "{card}");
        let json = serde_json::to_string(&report).expect("it serialises");
        assert_eq!(serde_json::from_str::<Report>(&json).expect("it parses"), report);
    }
}
