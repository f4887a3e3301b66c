//! The list of all auxiliary losses, each declared once: its formula, paper and value at perfect balance, what each expert
//! adds, and what it needs that a run may not have.
//!
//! The numbers are those of [`losses`](crate::losses); a row only says which of its functions are meant.
//!
//! Top-2 of the [running example](crate::example), six tokens as one text. Switch's loss is mostly expert 0's doing: four
//! first choices in six, and a mean probability of 0.4504. DeepSeek's loss over devices needs to know the devices.
//!
//! ```
//! use moe_router::auxiliary::{self, Missing, Seen};
//! use moe_router::example::{self, assert_close};
//! use moe_router::{dispatch::dropless, rules, token_choice::top_k};
//!
//! let gate_logits = example::gate_logits();
//! let routing = dropless(&top_k::requests(&gate_logits, 2, moe_trace::Weighting::Norm), 6, 4);
//! let router = rules::parse_router("top_k:2")?;
//! let seen = Seen { gate_logits: Some(&gate_logits), routing: &routing, router: &router };
//! let switch = auxiliary::find("switch").expect("a loss");
//! assert_eq!((switch.formula, switch.equation), ("E · Σ_e f_e · P_e", Some("eq. 4")));
//! let measured = (switch.measure)(&seen)?;
//! assert_close(&[measured.value], &[1.4273]);
//! assert_close(&measured.terms.expect("terms").values, &[1.2010, 0.0, 0.1027, 0.1236]);
//! assert_eq!((switch.at_balance)(Some(2), 4), Some(1.0));
//! let devices = auxiliary::find("deepseek_devices").expect("a loss");
//! assert_eq!((devices.measure)(&seen), Err(Missing::Devices));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;

use moe_trace::{GateLogits, RouterSpec, Routing};

use crate::rule::{Citation, citations};

mod balance;
mod information;
mod instead;
mod logits;
mod parts;
mod spread;
#[cfg(test)]
mod tests;

/// All of them, family by family.
pub fn all() -> impl Iterator<Item = &'static AuxiliaryLoss> {
    [balance::LOSSES, spread::LOSSES, information::LOSSES, logits::LOSSES, instead::LOSSES].into_iter().flatten()
}

/// One loss of the literature, of one layer and one text.
pub struct AuxiliaryLoss {
    /// How code names it: `switch`.
    pub name: &'static str,
    /// How people name it: "Load balance (Switch)".
    pub title: &'static str,
    /// What it is for.
    pub family: Family,
    /// The loss without its coefficient, as text: `E · Σ_e f_e · P_e`. `_` begins an index, `_{…}` a longer one; `{…}/{…}`
    /// is a fraction.
    pub formula: &'static str,
    /// What the letters of the formula mean, but for those of [`LETTERS`].
    pub letters: &'static str,
    /// Authors, year and where to find it.
    pub paper: &'static str,
    /// Where in the paper; `None` where it is known from code.
    pub equation: Option<&'static str>,
    /// Its value where experts are used evenly and the gate agrees, for so many choices per token (`None` where the rule
    /// sets no number) among so many experts; `None` where it knows no balance. No lower bound.
    pub at_balance: fn(Option<usize>, usize) -> Option<f64>,
    /// Its value on what was seen.
    pub measure: fn(&Seen) -> Result<Measured, Missing>,
}

/// Letters that mean the same in all formulas.
pub const LETTERS: &str = "E experts, T tokens, k choices per token, z gate logits, p gate probabilities, P_e their mean, n_e choices of expert e";

/// What a loss is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Counts times probabilities: nobody gets too much.
    Balance,
    /// How unevenly something is spread over the experts.
    Spread,
    /// Sure each time, varied on the whole.
    Information,
    /// Keeps logits small, or few of them positive.
    Logits,
    /// What takes the place of a loss, or steers one.
    Instead,
}

impl Family {
    /// All of them, in order.
    pub const ALL: [Family; 5] =
        [Family::Balance, Family::Spread, Family::Information, Family::Logits, Family::Instead];

    /// "Balance: counts times probabilities".
    pub fn title(self) -> &'static str {
        match self {
            Family::Balance => "Balance: counts times probabilities",
            Family::Spread => "Spread: how much experts differ",
            Family::Information => "Information: sure each time, varied on the whole",
            Family::Logits => "Logits: small, or few of them positive",
            Family::Instead => "In place of a loss",
        }
    }
}

/// What a loss is measured on: a layer, and a text that is one sequence.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// `[tokens, experts]`, if they were recorded.
    pub gate_logits: Option<&'a GateLogits>,
    /// What was decided by them.
    pub routing: &'a Routing,
    /// The rule that decided.
    pub router: &'a RouterSpec,
}

/// The value of a loss and how it comes about.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Without its coefficient.
    pub value: f64,
    /// What belongs to each expert, if the loss has such parts.
    pub terms: Option<Terms>,
}

/// A number for each expert.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// What the numbers are: "E · f_e · P_e".
    pub what: &'static str,
    /// `[experts]`.
    pub values: Vec<f64>,
    /// Is the loss their sum?
    pub add_up: bool,
}

/// What a loss needs and what was seen does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The gate was not recorded.
    GateLogits,
    /// The rule reads no gate.
    Gate,
    /// Which experts share a device.
    Devices,
    /// Texts of several tasks.
    Tasks,
    /// Experts and samples of named kinds.
    Kinds,
    /// A gate with noise of a known deviation.
    Noise,
    /// A number of experts that every token asks.
    K,
    /// A second choice.
    SecondChoice,
    /// A request.
    Requests,
}

impl Missing {
    /// All of them.
    pub const ALL: [Missing; 9] = [
        Missing::GateLogits,
        Missing::Gate,
        Missing::Devices,
        Missing::Tasks,
        Missing::Kinds,
        Missing::Noise,
        Missing::K,
        Missing::SecondChoice,
        Missing::Requests,
    ];

    /// A sentence.
    pub fn says(self) -> &'static str {
        match self {
            Missing::GateLogits => "Needs gate logits, and this run recorded none.",
            Missing::Gate => "Needs a gate, and this rule reads none.",
            Missing::Devices => "Needs to know which experts share a device; here all are on one.",
            Missing::Tasks => "Needs texts of several tasks; this is one text.",
            Missing::Kinds => "Needs experts and samples of named kinds; these have none.",
            Missing::Noise => "Needs a gate with noise; this rule's has none.",
            Missing::K => "Needs a fixed number of experts per token; this rule sets none.",
            Missing::SecondChoice => "Needs two choices per token; this rule makes one.",
            Missing::Requests => "Needs a request, and no token made one.",
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.says())
    }
}

impl std::error::Error for Missing {}

impl AuxiliaryLoss {
    /// Its paper, cut where a link begins and ends.
    pub fn citations(&self) -> impl Iterator<Item = Citation<'static>> + use<> {
        citations(self.paper)
    }
}

/// The loss of this name.
pub fn find(name: &str) -> Option<&'static AuxiliaryLoss> {
    all().find(|loss| loss.name == name)
}
