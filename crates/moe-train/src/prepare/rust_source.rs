//! Rust: the sources of the standard library's `core` and `alloc`. Held out: whole files, drawn by a hash of their path.

use std::fs;

use anyhow::{Result, ensure};

use super::archive::files_under;
use super::dedupe::Novelty;
use super::document::{Document, shuffle_key};
use super::package::{Package, Registry, Unpacked};

pub const PACKAGES: &[Package] =
    &[Package { registry: Registry::Debian, name: "rust-src", licence: "MIT OR Apache-2.0" }];

const MAX_BYTES: usize = 4_000_000;
/// A function's signature, body and documentation begin to differ within six lines, or they are a copy.
const WINDOW: usize = 6;

/// One document and one file a source file, in an order that has nothing to do with their names.
pub fn documents(packages: &[Unpacked]) -> Result<Vec<Document>> {
    let [package] = packages else { unreachable!("PACKAGES names one") };
    let mut files = Vec::new();
    for path in files_under(&package.folder.join("usr/src"), ".rs")? {
        let name = path.to_string_lossy();
        let Some((_, name)) = name.split_once("/library/") else { continue };
        // Tables of Unicode properties are numbers, not Rust that anybody reads.
        if ["core/src/", "alloc/src/"].iter().any(|krate| name.starts_with(krate)) && !name.ends_with("unicode_data.rs")
        {
            files.push((shuffle_key(name), name.to_owned(), path.clone()));
        }
    }
    files.sort();

    let mut novelty = Novelty::new(WINDOW);
    let mut documents = Vec::new();
    let mut bytes = 0;
    for (_, name, path) in files {
        let document = Document::new(name, &without_copies(&fs::read_to_string(&path)?, &mut novelty));
        if bytes < MAX_BYTES && !document.text.is_empty() {
            bytes += document.text.len();
            documents.push(document);
        }
    }
    ensure!(bytes >= MAX_BYTES, "the sources have {bytes} bytes, {MAX_BYTES} were expected");
    Ok(documents)
}

/// Leaves out paragraphs (between blank lines) that are near-copies of earlier ones: `Rc` and `Arc`, `i8` and `u8`.
fn without_copies(source: &str, novelty: &mut Novelty) -> String {
    source.split("\n\n").filter(|paragraph| novelty.admit(paragraph)).collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copied_paragraphs_are_left_out_and_short_ones_stay() {
        let function = "fn f() {\n    1;\n    2;\n    3;\n    4;\n    5;\n    6;\n}";
        let mut novelty = Novelty::new(WINDOW);
        let source = format!("use a;\n\n{function}\n\nuse a;\n\n{function}\n\nmod b;");
        assert_eq!(without_copies(&source, &mut novelty), format!("use a;\n\n{function}\n\nuse a;\n\nmod b;"));
    }
}
