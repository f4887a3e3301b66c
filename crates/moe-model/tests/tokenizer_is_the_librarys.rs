//! Texts are split as the library splits them that learnt the tokenizers: of every shipped model, every text of the site.

use std::fs;
use std::path::{Path, PathBuf};

use moe_model::tokenizer::{END_OF_TEXT, Tokenizer};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// Ours, and the library's.
struct Both {
    name: String,
    ours: Tokenizer,
    library: tokenizers::Tokenizer,
}

impl Both {
    fn check(&self, text: &str) {
        let expected = self.library.encode_fast(text, false).expect("any text has tokens");
        assert_eq!(self.ours.encode(text), expected.get_ids(), "{} splits {text:?}", self.name);
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Files below a folder, but those of tools.
fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let is_of_tools = path.file_name().is_some_and(|name| name == "node_modules" || name == "target");
        match path.is_dir() {
            true if !is_of_tools => files(&path, into),
            true => {}
            false => into.push(path),
        }
    }
}

/// A tokenizer of each content that the shipped models have.
fn shipped() -> Vec<Both> {
    let mut paths = Vec::new();
    files(&root().join("www/site/models"), &mut paths);
    let mut seen = Vec::new();
    let mut all = Vec::new();
    for path in paths.iter().filter(|path| path.ends_with("tokenizer.json")) {
        let json = fs::read(path).expect("a file");
        if !seen.contains(&json) {
            let mut library = tokenizers::Tokenizer::from_bytes(&json).expect("a tokenizer");
            library.set_encode_special_tokens(true);
            let ours = Tokenizer::from_json(&json).expect("a tokenizer");
            all.push(Both { name: path.display().to_string(), ours, library });
            seen.push(json);
        }
    }
    assert!(!all.is_empty(), "models are shipped");
    all
}

#[test]
fn every_token() {
    for Both { name, ours, library } in shipped() {
        assert_eq!(ours.vocab_size(), library.get_vocab_size(true), "{name}");
        for id in (0..ours.vocab_size() as u32).filter(|&id| id != END_OF_TEXT) {
            let text = library.decode(&[id], false).expect("a token has a text");
            assert_eq!(String::from_utf8_lossy(ours.bytes(id)), text, "{name}, token {id}");
        }
    }
}

#[test]
fn every_text_of_the_site_and_of_the_project() {
    let mut paths = Vec::new();
    for folder in ["www/site", "docs", "crates", "shaders"] {
        files(&root().join(folder), &mut paths);
    }
    let texts: Vec<String> = paths.iter().filter_map(|path| fs::read_to_string(path).ok()).collect();
    assert!(texts.len() > 100, "{} texts", texts.len());
    for both in shipped() {
        texts.iter().for_each(|text| both.check(text));
    }
}

#[test]
fn every_character() {
    let characters: Vec<char> = (0..=u32::from(char::MAX)).filter_map(char::from_u32).collect();
    for both in shipped() {
        for some in characters.chunks(256) {
            both.check(&some.iter().collect::<String>());
            both.check(&some.iter().flat_map(|&character| [' ', character, 's', '\'']).collect::<String>());
        }
    }
}

#[test]
fn any_text() {
    let all = shipped();
    let words = "( ?(the|ing|[a-z]{1,9}|'s|\\PC{0,5}|[0-9]{1,4}|[\\s]{1,3})){0,12}";
    for texts in [any::<String>().boxed(), words.boxed()] {
        TestRunner::default()
            .run(&texts, |text| {
                all.iter().for_each(|both| both.check(&text));
                Ok(())
            })
            .expect("the same tokens");
    }
}
