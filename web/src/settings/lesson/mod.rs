//! A lesson: a file in which an author says what the page shows, step by step, and what its reader is to find out. The
//! format is described in docs/LESSONS.md; `cargo xtask lesson check` and the page read it with the same reader.

mod condition;
mod format;
mod json;
mod mistake;
mod read;

pub use condition::{Argument, COMPARISONS, Comparison, Condition, Measure, Other, Quantity, Seen};
pub use format::{KEYS, Key, PLACE, SETTABLE, Shape, VERSION, limits};
pub use mistake::{Located, unopened, unusable};

use crate::settings::attributes::Config;
use crate::settings::named::named;
use crate::settings::offered::Offered;
use crate::settings::place::Place;

/// A whole lesson; it has one step at least.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    pub title: String,
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub say: String,
    /// Attributes that are set when the step begins, with their texts.
    pub set: Texts,
    pub goto: Option<Goto>,
    /// The controls that rest meanwhile.
    pub locked: Offered,
    pub task: Task,
    /// What is said once the task is done.
    pub reveal: Option<String>,
}

/// Names and texts of attributes.
pub type Texts = Vec<(String, String)>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goto {
    Place(Place),
    /// The first request of the run that was turned away; without one the end of its prompt.
    Overflow,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    /// There is only something to read, and to look at.
    None,
    /// The reader draws what she expects before she sees it.
    Predict(Predicted),
    Ask(Ask),
}

named! {
    /// What is drawn before it is shown, a bar for each expert.
    Predicted {
        /// Requests, in the selected layer.
        Demand "demand"
        /// Those that were served.
        Load "load"
        /// What the gate gives each expert for the selected token.
        Gate "gate"
    }
}

/// A task whose answer is the state of the page.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    pub ask: String,
    /// All of them must hold.
    pub expect: Vec<Condition>,
    /// The first after the first wrong answer, and so on.
    pub hints: Vec<String>,
    /// Attributes with which it holds; empty where the author names none.
    pub solution: Texts,
}

impl Lesson {
    /// Reads a file, or tells everything that is wrong with it.
    pub fn read(text: &str) -> Result<Lesson, Vec<Located>> {
        // Some editors begin a file with a mark that is not part of it.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        read::lesson(text).map_err(|mistakes| mistakes.into_iter().map(|mistake| mistake.located(text)).collect())
    }
}

/// The configuration that these texts make; they were checked when the lesson was read.
pub fn configured(texts: &Texts) -> Config {
    Config::read(|name| texts.iter().rev().find(|(of, _)| of == name).map(|(_, text)| text.clone())).0
}

/// The lessons of the playground's own: the names of their files in `www/site/lessons`, and their titles.
pub const SHIPPED: [(&str, &str); 5] = [
    ("gate", marked!("What a gate does")),
    ("capacity", marked!("Capacity and overflow")),
    ("policies", marked!("Who is dropped")),
    ("balance", marked!("Collapse and balance")),
    ("specialise", marked!("What experts specialise in, and what not")),
];
