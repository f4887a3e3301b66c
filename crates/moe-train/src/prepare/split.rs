//! What is trained on and what is held out: whole files, never lines.

use std::collections::HashSet;

use super::document::Document;

/// Held out of each domain: this share of its bytes, and at least so many.
const HELD_OUT_FRACTION: f64 = 0.065;
const MIN_HELD_OUT_BYTES: usize = 250_000;
/// More is not needed to measure, so the documents of held-out files beyond it are used for nothing.
const MAX_VALID_BYTES: usize = 400_000;

pub struct Split {
    pub train: Vec<Document>,
    pub valid: Vec<Document>,
}

/// Takes whole files from the front, where each domain puts the ones to hold out, until the wanted bytes are reached.
pub fn split(documents: Vec<Document>) -> Split {
    let total: usize = documents.iter().map(|document| document.text.len()).sum();
    let wanted = MIN_HELD_OUT_BYTES.max((total as f64 * HELD_OUT_FRACTION) as usize);
    hold_out(documents, wanted, MAX_VALID_BYTES)
}

fn hold_out(documents: Vec<Document>, wanted_bytes: usize, max_bytes: usize) -> Split {
    let mut split = Split { train: Vec::new(), valid: Vec::new() };
    let mut held_out = HashSet::new();
    let mut bytes = 0;
    let mut valid_bytes = 0;
    for document in documents {
        if bytes < wanted_bytes {
            held_out.insert(document.file.clone());
        }
        if !held_out.contains(&document.file) {
            split.train.push(document);
            continue;
        }
        bytes += document.text.len();
        if valid_bytes + document.text.len() <= max_bytes {
            valid_bytes += document.text.len();
            split.valid.push(document);
        }
    }
    split
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[&str], wanted_bytes: usize, max_bytes: usize, train: &[&str], valid: &[&str]) {
        let documents = files.iter().map(|file| Document::new(*file, "123456789")).collect();
        let split = hold_out(documents, wanted_bytes, max_bytes);
        let names = |documents: &[Document]| documents.iter().map(|d| d.file.clone()).collect::<Vec<_>>();
        assert_eq!(names(&split.train), train);
        assert_eq!(names(&split.valid), valid);
    }

    #[test]
    fn whole_files_from_the_front() {
        // Ten bytes each. The second document of `a` reaches 15 bytes; `b` is trained on.
        check(&["a", "a", "b", "b"], 15, 100, &["b", "b"], &["a", "a"]);
        // One byte is wanted, and the whole of `a` is held out, wherever it stands.
        check(&["a", "b", "a"], 1, 100, &["b"], &["a", "a"]);
        check(&["a", "b", "c"], 11, 100, &["c"], &["a", "b"]);
    }

    #[test]
    fn beyond_the_limit_a_held_out_document_is_on_neither_side() {
        check(&["a", "a", "a", "b"], 1, 25, &["b"], &["a", "a"]);
    }
}
