//! A document: a stretch of text that stands for itself, and the file it must share a side of the split with.

use sha2::{Digest, Sha256};

/// What separates documents in a text file: the ASCII record separator, which no domain's text holds.
pub const RECORD_SEPARATOR: char = '\u{1E}';

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The novel, address, bible book or source file that it comes from. All documents of a file are trained on, or
    /// all are held out.
    pub file: String,
    pub text: String,
}

impl Document {
    /// Lines end in `\n`, none ends in a blank, and the text ends in one `\n`.
    pub fn new(file: impl Into<String>, text: &str) -> Document {
        let mut clean = String::with_capacity(text.len() + 1);
        let text = text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}'], "\n");
        for line in text.replace([RECORD_SEPARATOR, '\u{FEFF}', '\0'], "").trim().lines() {
            clean.push_str(line.trim_end());
            clean.push('\n');
        }
        Document { file: file.into(), text: clean }
    }
}

/// The documents, each ending in `\n`, with a record separator between each two.
pub fn join(documents: &[Document]) -> String {
    documents.iter().map(|document| document.text.as_str()).collect::<Vec<_>>().join(&RECORD_SEPARATOR.to_string())
}

/// Puts files in an order that has nothing to do with their names, and is the same on every machine.
pub fn shuffle_key(file: &str) -> [u8; 32] {
    Sha256::digest(file.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_and_separators_are_normalised() {
        assert_eq!(Document::new("f", "\u{FEFF}\r\none  \r\n\rtwo\u{1E}").text, "one\n\ntwo\n");
    }

    #[test]
    fn documents_are_joined_by_one_separator() {
        assert_eq!(join(&[Document::new("f", "a"), Document::new("f", "b")]), "a\n\u{1E}b\n");
    }
}
