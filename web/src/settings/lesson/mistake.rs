//! What is wrong with a lesson: where, what, and how it would be right.

use std::fmt;

use moe_trace::UserError;

/// A mistake at a byte of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    pub at: usize,
    /// In a sentence without its full stop.
    pub what: String,
    /// The same: what would be right.
    pub right: String,
}

impl Mistake {
    pub fn new(at: usize, what: impl Into<String>, right: impl Into<String>) -> Mistake {
        Mistake { at, what: what.into(), right: right.into() }
    }

    /// The same with its line and column in the file.
    pub fn located(self, text: &str) -> Located {
        let before = text.get(..self.at).unwrap_or(text);
        let line_begin = before.rfind('\n').map_or(0, |at| at + 1);
        Located {
            line: before.matches('\n').count() + 1,
            column: before[line_begin..].chars().count() + 1,
            what: self.what,
            right: self.right,
        }
    }
}

/// A mistake as an author finds it in her editor: line and column count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    pub line: usize,
    pub column: usize,
    pub what: String,
    pub right: String,
}

impl fmt::Display for Located {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Located { line, column, what, right } = self;
        write!(f, "{line}:{column}: {what}; {right}")
    }
}

/// What a reader is told where a lesson has mistakes, of which the first counts for her.
pub fn unusable(name: &str, mistakes: &[Located]) -> UserError {
    let why = match mistakes.first() {
        Some(Located { line, column, what, right }) => {
            say!("Line {line}, column {column}: {what}; {right}.", line, column, what, right)
        }
        None => say!("It is empty.").into_owned(),
    };
    unopened(name, why)
}

/// What a reader is told where a lesson did not come. `why`: a sentence.
pub fn unopened(name: &str, why: String) -> UserError {
    UserError::new(
        say!("The lesson {name} cannot be opened.", name),
        why,
        say!("The page works without it; `cargo xtask lesson check` lists all its mistakes."),
    )
}
