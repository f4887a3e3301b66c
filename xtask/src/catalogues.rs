//! The page's sentences in other languages, `web/words/<language>/*.json`: a file for each room or panel, joined into one
//! that the page fetches.
//!
//! Each file is a JSON object of English templates and their translations, an entry a line, so that a complaint can name
//! the line, and so that what stands twice is seen.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

/// Where they lie, a folder for each language.
pub const FOLDER: &str = "web/words";

/// A template and what it is in another language.
pub struct Entry {
    /// The file's name without its folder, and the line.
    pub file: String,
    pub line: usize,
    pub english: String,
    pub text: String,
}

/// The languages that have catalogues, by the names of their folders.
pub fn languages(root: &Path) -> Result<Vec<String>> {
    let folder = root.join(FOLDER);
    let mut names = Vec::new();
    for entry in folder.read_dir().with_context(|| format!("{FOLDER} cannot be read"))? {
        let path = entry?.path();
        if path.is_dir() {
            names.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

/// All entries of a language's folder, file after file.
pub fn read(folder: &Path) -> Result<Vec<Entry>> {
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in folder.read_dir().with_context(|| format!("{} cannot be read", folder.display()))? {
        files.push(entry?.path());
    }
    files.sort();
    let mut entries = Vec::new();
    for path in files.iter().filter(|path| path.extension().is_some_and(|extension| extension == "json")) {
        let text = fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        entries.extend(of_file(&name, &text)?);
    }
    Ok(entries)
}

/// The entries of one file.
pub fn of_file(name: &str, text: &str) -> Result<Vec<Entry>> {
    serde_json::from_str::<Map<String, Value>>(text).with_context(|| format!("{name} is no JSON object"))?;
    let mut entries = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let inside = line.trim();
        if ["", "{", "}"].contains(&inside) {
            continue;
        }
        let one = format!("{{{}}}", inside.trim_end_matches(','));
        let pair = serde_json::from_str::<Map<String, Value>>(&one).ok().filter(|pair| pair.len() == 1);
        let Some((english, Value::String(text))) = pair.and_then(|pair| pair.into_iter().next()) else {
            bail!("{name}:{}: this is no entry; write one a line, as \"English\": \"translation\"", at + 1);
        };
        entries.push(Entry { file: name.to_owned(), line: at + 1, english, text });
    }
    Ok(entries)
}

/// One JSON object of them all, as the page fetches it.
pub fn joined(folder: &Path) -> Result<Vec<u8>> {
    let entries = read(folder)?.into_iter().map(|entry| (entry.english, Value::String(entry.text)));
    Ok(serde_json::to_vec(&entries.collect::<Map<_, _>>())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project;

    #[test]
    fn an_entry_is_a_line() {
        let entries = of_file("a.json", "{\n  \"One\": \"一\",\n  \"a \\\"b\\\"\": \"{n}\"\n}\n").expect("two entries");
        let read: Vec<_> = entries.iter().map(|entry| (entry.line, &*entry.english, &*entry.text)).collect();
        assert_eq!(read, [(2, "One", "一"), (3, "a \"b\"", "{n}")]);
        for bad in ["[]", "{\n  \"a\": \"b\", \"c\": \"d\"\n}", "{\n  \"a\":\n  \"b\"\n}", "{\n  \"a\": 1\n}"] {
            assert!(of_file("a.json", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_page_gets_all_of_a_language_in_one_file() {
        let languages = languages(project::root()).expect("the folder");
        assert!(languages.contains(&"zh".to_owned()));
        for language in languages {
            let folder = project::root().join(FOLDER).join(&language);
            let joined: Map<String, Value> = serde_json::from_slice(&joined(&folder).expect("readable")).expect("JSON");
            let entries = read(&folder).expect("readable");
            assert!(entries.iter().all(|entry| joined[&entry.english].is_string()), "{language}");
        }
    }
}
