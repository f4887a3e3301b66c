//! Rules about sentences: every template that the page says has a translation in each catalogue, with the same names, and
//! no translation is left over.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::said::{self, Said};
use super::sources::files;
use crate::catalogues::{self, Entry, FOLDER};

/// Finds what a source says.
type Finder = fn(&str) -> Vec<Said>;

/// What says something, by folder and extension, and how that is found.
const SAID: [(&str, &str, Finder); 3] = [
    ("web/src", "rs", said::by_rust),
    ("www/packages/moe-playground/src", "js", said::by_javascript),
    ("www/site/lessons", "json", said::by_lesson),
];

/// Files of catalogues whose texts the page does not say itself: it shows what rules, losses, experiments, prompts and
/// models declare. That each of these has a translation is tested where they are known (`web/tests/words`).
const OF_DECLARATIONS: [&str; 5] = ["rules.json", "losses.json", "experiments.json", "prompts.json", "models.json"];

/// Where they are declared, and the endings of the files.
const DECLARED: [(&str, &str); 3] =
    [("crates/moe-router/src", "rs"), ("crates/moe-trace/src", "rs"), ("www/site/models", "index.json")];

/// A template, and where it is said.
type Place = (String, usize);

/// One complaint per broken rule, with the line it is about.
pub fn complaints(root: &Path) -> Result<Vec<String>> {
    let mut sources = Sources::default();
    for (folder, ending, find) in SAID {
        for (name, text) in texts(root, folder, ending)? {
            for said in find(&text) {
                sources.said.entry(said.template).or_insert((name.clone(), said.line));
            }
        }
    }
    for (folder, ending) in DECLARED {
        for (_, text) in texts(root, folder, ending)? {
            sources.declared.extend(said::declared(&text));
        }
    }
    let mut complaints = Vec::new();
    for language in catalogues::languages(root)? {
        let folder = format!("{FOLDER}/{language}");
        complaints.extend(of_language(&folder, &sources, &catalogues::read(&root.join(&folder))?));
    }
    Ok(complaints)
}

/// What there is to translate.
#[derive(Default)]
struct Sources {
    said: BTreeMap<String, Place>,
    declared: BTreeSet<String>,
}

/// The files of a folder with this ending: names and contents.
fn texts(root: &Path, folder: &str, ending: &str) -> Result<Vec<(String, String)>> {
    let mut texts = Vec::new();
    for path in files(&root.join(folder))? {
        let name = path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
        if name.ends_with(&format!(".{ending}")) || name.ends_with(&format!("/{ending}")) {
            let text = fs::read_to_string(&path).with_context(|| format!("could not read {name}"))?;
            texts.push((name, text));
        }
    }
    Ok(texts)
}

fn of_language(folder: &str, sources: &Sources, entries: &[Entry]) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut known = BTreeMap::<&str, &Entry>::new();
    for entry in entries {
        let Entry { file, line, english, text } = entry;
        let mut complain = |why: String| complaints.push(format!("{folder}/{file}:{line}: {why}"));
        if let Some(before) = known.insert(english, entry)
            && before.text != *text
        {
            complain(format!("“{english}” is translated in another way in {}:{}", before.file, before.line));
        }
        if text.trim().is_empty() {
            complain(format!("“{english}” has an empty translation"));
        }
        let (named, in_text) = (said::names(english), said::names(text));
        if named != in_text {
            complain(format!(
                "the translation of “{english}” has the names {}, and is to have {}",
                listed(&in_text),
                listed(&named)
            ));
        }
        let is_declared = OF_DECLARATIONS.contains(&file.as_str()) && sources.declared.contains(english);
        if !sources.said.contains_key(english) && !is_declared {
            complain(format!("nothing says “{english}”; remove the line, or write it as the code does"));
        }
    }
    let known: BTreeSet<&str> = known.into_keys().collect();
    let missing = sources.said.iter().filter(|(template, _)| !known.contains(template.as_str()));
    complaints.extend(missing.map(|(template, (file, line))| {
        format!("{file}:{line}: “{template}” has no translation; add it to a file of {folder}")
    }));
    complaints
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(catalogue: &[(&str, &str)], expected: &[&str]) {
        let said = [("Save", 3), ("expert {expert}", 7)];
        let said = said.map(|(template, line)| (template.to_owned(), ("web/src/a.rs".to_owned(), line)));
        let sources = Sources { said: said.into(), declared: BTreeSet::from(["Top-k".to_owned()]) };
        let lines: Vec<String> = catalogue.iter().map(|(file, line)| format!("{file}: {line}")).collect();
        let entries: Vec<Entry> = catalogue
            .iter()
            .flat_map(|(file, text)| catalogues::of_file(file, &format!("{{\n{text}\n}}")).expect("an entry"))
            .collect();
        assert_eq!(of_language("web/words/zh", &sources, &entries), expected, "{lines:?}");
    }

    #[test]
    fn catalogue_and_code_are_compared_both_ways() {
        let whole = ("a.json", "\"Save\": \"保存\",\n\"expert {expert}\": \"专家 {expert}\"");
        check(&[whole], &[]);
        check(
            &[("a.json", "\"Save\": \"保存\"")],
            &["web/src/a.rs:7: “expert {expert}” has no translation; add it to a file of web/words/zh"],
        );
        check(&[whole, ("rules.json", "\"Top-k\": \"前 k\"")], &[]);
        for (file, line) in [("rules.json", "\"Gone\": \"去\""), ("b.json", "\"Top-k\": \"前 k\"")] {
            let english = line.split('"').nth(1).unwrap_or_default();
            let told = format!("nothing says “{english}”; remove the line, or write it as the code does");
            check(&[whole, (file, line)], &[&format!("web/words/zh/{file}:2: {told}")]);
        }
    }

    #[test]
    fn a_translation_has_the_names_and_is_the_only_one() {
        let save = "\"Save\": \"保存\"";
        check(
            &[("a.json", &format!("{save},\n\"expert {{expert}}\": \"专家 {{expret}}\""))],
            &[
                "web/words/zh/a.json:3: the translation of “expert {expert}” has the names expret, and is to have expert",
            ],
        );
        let expert = "\"expert {expert}\": \"专家 {expert}\"";
        check(&[("a.json", &format!("{save},\n{expert}")), ("b.json", save)], &[]);
        check(
            &[("a.json", &format!("{save},\n{expert}")), ("b.json", "\"Save\": \"存\"")],
            &["web/words/zh/b.json:2: “Save” is translated in another way in a.json:2"],
        );
        check(
            &[("a.json", &format!("{expert},\n\"Save\": \" \""))],
            &["web/words/zh/a.json:3: “Save” has an empty translation"],
        );
    }
}
