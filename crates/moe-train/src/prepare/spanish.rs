//! Spanish: the Reina-Valera bible of 1909. Held out: seven books that tell no story another book tells too.

use std::fs;

use anyhow::{Context, Result, ensure};

use super::document::Document;
use super::package::{Package, Registry, Unpacked};
use super::sword;

pub const PACKAGES: &[Package] =
    &[Package { registry: Registry::Debian, name: "sword-text-sparv", licence: "public domain" }];

/// Not the gospels, Samuel, Kings or Chronicles: they retell each other, in part word for word.
const HELD_OUT: &[&str] = &["Judg", "Ruth", "Esth", "Eccl", "Dan", "Jonah", "Rom"];

/// One document a chapter, one file a book (by its OSIS name, such as `Gen`), the held-out books first.
pub fn documents(packages: &[Unpacked]) -> Result<Vec<Document>> {
    let [bible] = packages else { unreachable!("PACKAGES names one") };
    let folder = bible.folder.join("usr/share/sword/modules/texts/ztext/spaRV1909eb");
    let mut documents = Vec::new();
    for testament in ["ot", "nt"] {
        let [bzs, bzv, bzz] = ["bzs", "bzv", "bzz"].map(|suffix| {
            let path = folder.join(format!("{testament}.{suffix}"));
            fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
        });
        documents.extend(chapters(&sword::entries(&bzs?, &bzv?, &bzz?)?));
    }
    for book in HELD_OUT {
        ensure!(documents.iter().any(|document| document.file == *book), "the bible has no book {book}");
    }
    documents.sort_by_key(|document| !HELD_OUT.contains(&document.file.as_str()));
    Ok(documents)
}

/// A chapter is a heading such as `Génesis 1`, an empty line, and one line a verse.
fn chapters(entries: &[sword::Entry]) -> Vec<Document> {
    let mut documents = Vec::new();
    let (mut book, mut title, mut chapter) = (String::new(), String::new(), String::new());
    let mut finish = |book: &str, chapter: &mut String| {
        // A heading without verses is not worth a document.
        if chapter.lines().count() > 2 {
            documents.push(Document::new(book, chapter));
        }
        chapter.clear();
    };
    for entry in entries {
        for tag in tags(&entry.markup) {
            if tag.starts_with("div") && attribute(tag, "type") == Some("book") && attribute(tag, "osisID").is_some() {
                finish(&book, &mut chapter);
                book = attribute(tag, "osisID").unwrap_or_default().to_owned();
            } else if tag.starts_with("milestone") && attribute(tag, "type") == Some("x-usfm-h") {
                title = attribute(tag, "n").unwrap_or_default().to_owned();
            } else if tag.starts_with("chapter") && attribute(tag, "sID").is_some() {
                finish(&book, &mut chapter);
                chapter = format!("{title} {}\n\n", attribute(tag, "n").unwrap_or_default());
            }
        }
        let verse = plain(&entry.markup);
        if !chapter.is_empty() && !verse.is_empty() {
            chapter.push_str(&verse);
            chapter.push('\n');
        }
    }
    finish(&book, &mut chapter);
    documents
}

/// What is between `<` and `>`.
fn tags(markup: &str) -> impl Iterator<Item = &str> {
    markup.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(tag, _)| tag)
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, value) = tag.split_once(&format!(" {name}=\""))?;
    value.split_once('"').map(|(value, _)| value)
}

/// The text without its markup; notes and titles go with it.
fn plain(markup: &str) -> String {
    let mut text = String::new();
    let mut skipped: Option<&str> = None;
    for (i, piece) in markup.split('<').enumerate() {
        let (tag, after) = if i == 0 { ("", piece) } else { piece.split_once('>').unwrap_or(("", piece)) };
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        match skipped {
            Some(element) if tag.starts_with('/') && name == element => skipped = None,
            None if matches!(name, "note" | "title") && !tag.ends_with('/') => skipped = Some(name),
            _ => {}
        }
        if skipped.is_none() {
            text.push_str(after);
        }
    }
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
    text.replace("&amp;", "&").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(markup: &str) -> sword::Entry {
        sword::Entry { block: 1, markup: markup.to_owned() }
    }

    #[test]
    fn markup_goes_and_the_text_stays() {
        let markup =
            r#"<w lemma="strong:H1">EN el</w> <w>principio</w>, <note n="1">una nota</note>crió &amp;<lb/> hizo."#;
        assert_eq!(plain(markup), "EN el principio, crió & hizo.");
    }

    #[test]
    fn books_and_chapters() {
        let entries = [
            entry(
                r#"<div osisID="Gen" sID="g" type="book"/><milestone n="Génesis" type="x-usfm-h"/><title>No</title>"#,
            ),
            entry(r#"<chapter n="1" osisID="Gen.1" sID="Gen.1"/>"#),
            entry("<w>Uno</w>."),
            entry(r#"Dos. <chapter eID="Gen.1"/>"#),
            entry(r#"<chapter n="2" osisID="Gen.2" sID="Gen.2"/>"#),
            entry("Tres."),
        ];
        let expected = ["Génesis 1\n\nUno.\nDos.\n", "Génesis 2\n\nTres.\n"].map(|text| Document::new("Gen", text));
        assert_eq!(chapters(&entries), expected);
    }
}
