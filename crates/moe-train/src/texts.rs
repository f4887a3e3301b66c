//! The small texts that the page's lab learns: of each kind of the corpus some whole pieces, with source and licence.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use moe_model::manifest::sha256_hex;
use serde::{Deserialize, Serialize};

use crate::prepare::Domain;
use crate::prepare::document::RECORD_SEPARATOR;
use crate::prepare::manifest::{Manifest, PackageManifest};

#[derive(Args, Debug, Clone)]
pub struct TextsArgs {
    /// Folder that `prepare` wrote.
    #[arg(long, default_value = "data")]
    pub data: PathBuf,
    /// Where the texts go, with `index.json` beside them.
    #[arg(long, default_value = "www/site/texts/lab")]
    pub out: PathBuf,
}

/// Of each kind, at most: a minute of training in the page reads a few times as many.
const MOST_BYTES: usize = 160_000;

/// Of one document, at most, so that a novel is not all there is.
const MOST_OF_A_DOCUMENT: usize = MOST_BYTES / 8;

const KINDS: [Domain; 6] =
    [Domain::Prose, Domain::Speech, Domain::Spanish, Domain::Rust, Domain::Json, Domain::Arithmetic];

/// A row of `index.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TextEntry {
    pub kind: String,
    pub file: String,
    pub bytes: usize,
    pub sha256: String,
    /// Where it is from; empty for what we generate.
    pub sources: Vec<PackageManifest>,
    /// What its licence wants to be said wherever it goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
}

pub fn run(args: &TextsArgs) -> Result<()> {
    let manifest = args.data.join("manifest.json");
    let manifest = fs::read_to_string(&manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
    let manifest: Manifest = serde_json::from_str(&manifest)?;
    fs::create_dir_all(&args.out)?;
    let mut index = Vec::new();
    for kind in KINDS.map(Domain::name) {
        let path = args.data.join("train").join(format!("{kind}.txt"));
        let whole = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let of_corpus = manifest.domains.iter().find(|domain| domain.name == kind);
        let of_corpus = of_corpus.with_context(|| format!("the corpus has no domain {kind}"))?;
        let text = pieces(&whole, MOST_BYTES);
        ensure!(text.len() * 2 > MOST_BYTES.min(whole.len()), "of {kind}, only {} bytes were taken", text.len());
        let file = format!("{kind}.txt");
        fs::write(args.out.join(&file), &text)?;
        println!("{kind}: {} bytes", text.len());
        index.push(TextEntry {
            kind: kind.to_owned(),
            file,
            bytes: text.len(),
            sha256: sha256_hex(text.as_bytes()),
            sources: of_corpus.packages.clone(),
            notice: (kind == Domain::Rust.name()).then(|| RUST_NOTICE.to_owned()),
        });
    }
    fs::write(args.out.join("index.json"), serde_json::to_string_pretty(&index)? + "\n")?;
    Ok(())
}

/// The beginnings of documents from all over a kind of text, an empty line between each two; at most so many bytes.
fn pieces(whole: &str, most: usize) -> String {
    let beginnings: Vec<&str> =
        whole.split(RECORD_SEPARATOR).map(|document| whole_lines(document, MOST_OF_A_DOCUMENT.min(most))).collect();
    let total: usize = beginnings.iter().map(|beginning| beginning.len() + 1).sum();
    let share = (most as f64 / total as f64).min(1.0);
    let wanted = |num_documents: usize| (num_documents as f64 * share) as usize;
    let chosen = beginnings.iter().enumerate().filter(|(at, _)| wanted(at + 1) > wanted(*at));
    let mut text = String::new();
    for (_, beginning) in chosen {
        let left = most - text.len();
        let gap = if text.is_empty() { "" } else { "\n" };
        let beginning = whole_lines(beginning, left.saturating_sub(gap.len()));
        if beginning.is_empty() {
            continue;
        }
        text.push_str(gap);
        text.push_str(beginning);
    }
    text
}

/// The first lines of a text that have at most so many bytes together.
fn whole_lines(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let end = text.as_bytes()[..most].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    &text[..end]
}

/// Of the Rust standard library, which is under this licence or Apache-2.0, at one's choice.
const RUST_NOTICE: &str = "Copyright (c) The Rust Project Contributors

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation \
files (the \"Software\"), to deal in the Software without restriction, including without limitation the rights to use, copy, \
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the \
Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the \
Software.

THE SOFTWARE IS PROVIDED \"AS IS\", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE \
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR \
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, \
ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_whole_lines_from_all_over() {
        let documents: Vec<String> = (0..100).map(|number| format!("document {number:02}\nits end\n")).collect();
        let whole = documents.join(&RECORD_SEPARATOR.to_string());
        let text = pieces(&whole, 500);
        assert!(text.len() <= 500 && text.len() > 400, "{}", text.len());
        assert!(text.lines().all(|line| line.starts_with("document ") || line == "its end" || line.is_empty()));
        let numbers: Vec<u32> = text.lines().filter_map(|line| line.strip_prefix("document ")?.parse().ok()).collect();
        assert!(numbers[0] < 10 && numbers[numbers.len() - 1] >= 90, "{numbers:?}");
        // What is small enough is there whole.
        assert_eq!(pieces("one\n\u{1E}two\n", 500), "one\n\ntwo\n");
        // A line's end is never in the middle of a letter.
        assert_eq!(whole_lines("é\né\n", 5), "é\n");
        assert_eq!(whole_lines("ééé", 3), "");
    }
}
