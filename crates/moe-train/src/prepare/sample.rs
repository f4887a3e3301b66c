//! A small sample of the held-out text, for the page: excerpts of every kind that the language models learned, each with
//! its source. `web/src/run/held_out.rs` reads it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use moe_trace::prompts::EXAMPLES;
use tokenizers::Tokenizer;

use super::document::{Document, RECORD_SEPARATOR};
use super::package::Unpacked;
use super::{Domain, registry, split, tokenizer};

/// Excerpts of each kind, spread evenly over its documents.
const PER_KIND: usize = 4;
/// Tokens of each.
const TOKENS: usize = 128;
/// The page reads no larger file.
const MAX_BYTES: usize = 60_000;

#[derive(Args)]
pub struct SampleArgs {
    /// The prepared corpus: its packages are in the folder `work` there, and are downloaded where they are not.
    #[arg(long, default_value = "data")]
    data: PathBuf,
    /// The tokenizer that counts.
    #[arg(long, default_value = "www/site/models/default/tokenizer.json")]
    tokenizer: PathBuf,
    #[arg(long, default_value = "www/site/texts/held-out.txt")]
    out: PathBuf,
}

pub fn run(args: &SampleArgs) -> Result<()> {
    let json =
        fs::read_to_string(&args.tokenizer).with_context(|| format!("cannot read {}", args.tokenizer.display()))?;
    let tokenizer = tokenizer::from_json(&json)?;
    let work = args.data.join("work");
    fs::create_dir_all(&work).with_context(|| format!("cannot make {}", work.display()))?;
    let mut rounds = vec![Vec::new(); PER_KIND];
    for domain in Domain::ALL {
        // What the page has no name for is text that the default model never learned.
        let Some(kind) =
            EXAMPLES.iter().map(|example| example.kind).find(|kind| kind.eq_ignore_ascii_case(domain.name()))
        else {
            continue;
        };
        let context = || format!("no held-out text of the kind {kind}");
        let packages = domain.packages().iter().map(|package| registry::fetch(*package, &work));
        let packages = packages.collect::<Result<Vec<_>>>().with_context(context)?;
        let held_out = split::split(domain.documents(&packages).with_context(context)?).valid;
        let source = source(&packages);
        let excerpts = excerpts(&held_out, &tokenizer).with_context(context)?;
        for (round, (file, text)) in rounds.iter_mut().zip(excerpts) {
            round.push(format!("{kind} | {source} | {file}\n{text}"));
        }
    }
    // Kinds take turns: who reads only so many of them has all kinds.
    let records = rounds.concat();
    let text = records.join(&RECORD_SEPARATOR.to_string());
    ensure!(text.len() <= MAX_BYTES, "the sample has {} bytes, and the page reads {MAX_BYTES}", text.len());
    let folder = args.out.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::write(&args.out, &text).with_context(|| format!("cannot write {}", args.out.display()))?;
    println!("{}: {} excerpts of {TOKENS} tokens, {} bytes", args.out.display(), records.len(), text.len());
    Ok(())
}

/// "rust-src 1.63.0 (Debian, MIT OR Apache-2.0)"; what we generate has no package.
fn source(packages: &[Unpacked]) -> String {
    let of_package = |unpacked: &Unpacked| {
        let package = &unpacked.package;
        format!("{} {} ({}, {})", package.name, unpacked.version, package.registry.label(), package.licence)
    };
    match packages {
        [] => "generated".to_owned(),
        packages => packages.iter().map(of_package).collect::<Vec<_>>().join(" and "),
    }
}

/// The beginnings of documents that are long enough, with their files: every n-th, so that they are of all over the text.
fn excerpts(documents: &[Document], tokenizer: &Tokenizer) -> Result<Vec<(String, String)>> {
    let mut long = Vec::new();
    for document in documents {
        if let Some(text) = beginning(&document.text, tokenizer)? {
            long.push((document.file.clone(), text));
        }
    }
    ensure!(long.len() >= PER_KIND, "{} documents have {TOKENS} tokens; it takes {PER_KIND}", long.len());
    Ok((0..PER_KIND).map(|at| long[at * long.len() / PER_KIND].clone()).collect())
}

/// The first tokens of a text, whole characters only; `None` of a shorter one.
fn beginning(text: &str, tokenizer: &Tokenizer) -> Result<Option<String>> {
    // A token is a byte at least, and the tokenizer takes its time for long texts.
    let end = text.char_indices().map(|(at, _)| at).find(|&at| at >= TOKENS * 16).unwrap_or(text.len());
    let ids = tokenizer::encode(tokenizer, &text[..end])?;
    let Some(mut ids) = ids.get(..TOKENS) else { return Ok(None) };
    loop {
        let decoded = tokenizer::decode(tokenizer, ids)?;
        if text.starts_with(&decoded) {
            return Ok(Some(decoded));
        }
        ids = &ids[..ids.len() - 1];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> Tokenizer {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../www/site/models/default/tokenizer.json");
        tokenizer::from_json(&fs::read_to_string(path).expect("the site has it")).expect("a tokenizer")
    }

    #[test]
    fn excerpts_are_beginnings_of_whole_characters_spread_over_the_documents() {
        let tokenizer = shipped();
        let text = |number: usize| format!("{number} ¿Qué hará el señor, — dijo? ").repeat(60);
        let documents: Vec<Document> = (0..9).map(|at| Document::new(format!("file {at}"), &text(at))).collect();
        let found = excerpts(&documents, &tokenizer).expect("nine are long enough");
        let files: Vec<&str> = found.iter().map(|(file, _)| file.as_str()).collect();
        assert_eq!(files, ["file 0", "file 2", "file 4", "file 6"]);
        for (at, (_, excerpt)) in found.iter().enumerate() {
            assert!(documents[2 * at].text.starts_with(excerpt), "{excerpt}");
            let len = tokenizer::encode(&tokenizer, excerpt).expect("text").len();
            assert!((TOKENS - 4..=TOKENS).contains(&len), "{len} tokens");
        }
        let short = [Document::new("file", "Too short.")];
        assert!(excerpts(&short, &tokenizer).is_err());
    }

    /// What the site ships is what a run of this command writes: kinds, sources and sizes.
    #[test]
    fn the_shipped_sample_has_every_kind() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../www/site/texts/held-out.txt");
        let file = fs::read_to_string(path).expect("the site has it");
        assert!(file.len() <= MAX_BYTES);
        let tokenizer = shipped();
        let mut kinds = Vec::new();
        for record in file.split(RECORD_SEPARATOR) {
            let (head, text) = record.split_once('\n').expect("a head");
            let [kind, source, name] = head.split(" | ").collect::<Vec<_>>()[..] else { panic!("{head}") };
            assert!(!source.is_empty() && !name.is_empty(), "{head}");
            assert!(tokenizer::encode(&tokenizer, text).expect("text").len() >= TOKENS - 4, "{head}");
            kinds.push(kind.to_owned());
        }
        let expected: Vec<&str> = EXAMPLES.iter().map(|example| example.kind).collect();
        assert_eq!(kinds, expected.repeat(PER_KIND));
    }
}
