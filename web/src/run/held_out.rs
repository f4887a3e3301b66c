//! Held-out text that the site ships: excerpts by kind of text, each with its source, which no shipped model was trained
//! on. `moe-train held-out-sample` writes the file.
//!
//! Records with U+001E between them; the first line of each is kind, source and file with ` | ` between them, all else is
//! the excerpt, to the last character.

use std::borrow::Cow;
use std::rc::Rc;

use moe_trace::{RoutingGroup, RunId, RunRequest};

use crate::run::experts::sample::is_like;
use crate::run::recording::Recording;

/// A larger file is none of these.
pub const MAX_BYTES: usize = 60_000;

/// The kinds of the site's own file, for whoever translates; those of another file are shown as they are.
pub const KINDS: [&str; 6] =
    [marked!("Prose"), marked!("Speech"), marked!("Spanish"), marked!("Rust"), marked!("JSON"), marked!("Arithmetic")];

#[derive(Debug, Clone, PartialEq)]
pub struct HeldOut {
    pub texts: Vec<HeldOutText>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct HeldOutText {
    pub kind: Rc<str>,
    /// The packages that text of this kind is from, with their licences.
    pub source: Rc<str>,
    /// Which book, address or source file of them.
    pub file: Rc<str>,
    pub text: Rc<str>,
}

impl HeldOut {
    /// The excerpts of the file, or why it has none.
    pub fn read(file: &str) -> Result<HeldOut, Cow<'static, str>> {
        if file.len() > MAX_BYTES {
            return Err(say!("It is larger than such a file may be."));
        }
        let record = |record: &str| {
            let (head, text) = record.split_once('\n')?;
            let (kind, source) = head.split_once(" | ")?;
            let (source, file) = source.split_once(" | ")?;
            let is_whole = [kind, source, file, text].iter().all(|part| !part.is_empty());
            is_whole.then(|| HeldOutText {
                kind: kind.into(),
                source: source.into(),
                file: file.into(),
                text: text.into(),
            })
        };
        let texts = file.split('\u{1e}').map(record).collect::<Option<Vec<_>>>();
        Ok(HeldOut { texts: texts.ok_or_else(|| say!("A record of it has no kind, source or text."))? })
    }

    /// The kind of the excerpt that a run read; `None` for any other text.
    pub fn kind_of(&self, request: &RunRequest) -> Option<&str> {
        let is_it = |held_out: &&HeldOutText| request.max_new_tokens == 0 && *held_out.text == *request.prompt;
        self.texts.iter().find(is_it).map(|held_out| &*held_out.kind)
    }

    /// Is this a run of one of them, with the model, routing and changes of `first`?
    pub fn is_run_like(&self, run: &Recording, first: &Recording) -> bool {
        is_like(run, first) && self.kind_of(&run.request).is_some()
    }

    /// All of them read as the run on the screen was, nothing written.
    pub fn requests(&self, run: &Recording) -> Vec<RunRequest> {
        let group = match run.request.group {
            RoutingGroup::Batch => RoutingGroup::ThisText,
            group => group,
        };
        let read = |held_out: &HeldOutText| RunRequest {
            run: RunId(0),
            prompt: held_out.text.to_string(),
            companions: Vec::new(),
            max_new_tokens: 0,
            group,
            ..RunRequest::clone(&run.request)
        };
        self.texts.iter().map(read).collect()
    }

    /// Kinds with their sources and files, each once.
    pub fn sources(&self) -> Vec<(&str, &str, Vec<&str>)> {
        let mut sources: Vec<(&str, &str, Vec<&str>)> = Vec::new();
        for held_out in &self.texts {
            let (kind, source, file) = (&*held_out.kind, &*held_out.source, &*held_out.file);
            match sources.iter_mut().find(|known| (known.0, known.1) == (kind, source)) {
                Some((_, _, files)) if files.contains(&file) => {}
                Some((_, _, files)) => files.push(file),
                None => sources.push((kind, source, vec![file])),
            }
        }
        sources
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_have_a_kind_a_source_a_file_and_a_text() {
        let read = HeldOut::read("Prose | a book (public domain) | Emma\nShe was\n\u{1e}Rust | std | a.rs\nfn\n")
            .expect("two");
        let texts: Vec<(&str, &str)> = read.texts.iter().map(|it| (&*it.kind, &*it.text)).collect();
        assert_eq!(texts, [("Prose", "She was\n"), ("Rust", "fn\n")]);
        assert_eq!(read.sources(), [("Prose", "a book (public domain)", vec!["Emma"]), ("Rust", "std", vec!["a.rs"])]);
        for spoilt in
            ["", "Prose", "Prose | a | b", "Prose | a | \ntext", "Prose | a\ntext", "Prose | a | b\ntext\u{1e}"]
        {
            assert!(HeldOut::read(spoilt).is_err(), "{spoilt:?}");
        }
        assert!(HeldOut::read(&format!("Prose | a | b\n{}", "x".repeat(MAX_BYTES))).is_err());
    }

    #[test]
    fn the_shipped_file_can_be_read() {
        let file = include_str!("../../../www/site/texts/held-out.txt");
        let read = HeldOut::read(file).expect("the site's own");
        assert_eq!((read.texts.len(), read.sources().len()), (24, 6));
        assert!(read.texts.iter().all(|held_out| KINDS.contains(&&*held_out.kind)));
    }
}
