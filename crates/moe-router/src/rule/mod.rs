//! What a rule declares, once, at the top of its own file: its words, its text, what must be known of it, which numbers
//! it can run with, and how it is run.
//!
//! Everything else reads it there: the parser and its errors ([`crate::rules`]), [`Router`](crate::Router),
//! `docs/ROUTING_RULES.md`, the page, training. The list of all rules is [`crate::rules`], which also tells a new one's
//! author by compile errors what is missing.

use moe_trace::{MixerSpec, RouterSpec, Routing};

use crate::spec_error::SpecError;

mod citation;
mod explained;
mod facts;
mod family;
mod form;
mod given;
mod group;

pub use citation::{Citation, citations};
pub use explained::Explained;
pub use facts::{Besides, Chance, Facts, GateReads, Requests, Slots};
pub use family::{Branch, Family};
pub use form::{Argument, Form, Printed, Value};
pub use given::Given;
pub use group::Group;

/// One rule of the survey.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The head of its text, `top_k`, and the name under which a spec is serialised; for rules without a text, their file
    /// here.
    pub name: &'static str,
    /// What people call it: "Top-k (Mixtral, OLMoE)".
    pub title: &'static str,
    /// What it does, in one line.
    pub one_line: &'static str,
    /// Where it stands in the survey's taxonomy.
    pub family: Family,
    /// Authors, year and where to find it.
    pub paper: &'static str,
    /// Where in the paper; or where in the authors' code or in the survey, if that is what we have read. `None` where it is
    /// neither.
    pub equation: Option<&'static str>,
    /// What it looks at besides gate logits: "nothing", "normal draws".
    pub needs: &'static str,
    /// The numbers its paper or best-known model trained with.
    pub trained_with: &'static str,
    /// What differs at inference: "the same".
    pub at_inference: &'static str,
    /// How it is run.
    pub run: Run,
}

/// How a rule is run, and what comes out.
#[derive(Debug, Clone, Copy)]
pub enum Run {
    /// [`Router`](crate::Router) assigns tokens to experts.
    Assigns(Assigns),
    /// [`Mixer`](crate::Mixer) blends tokens or experts.
    Mixes(Mixes),
    /// Gate logits are not all it needs, so no text can name it; its functions are called in Rust.
    InRust(InRust),
}

/// A rule that assigns by gate logits.
#[derive(Debug, Clone, Copy)]
pub struct Assigns {
    /// Its text.
    pub form: Form<RouterSpec>,
    /// Can it run with these numbers on so many experts, at least one?
    pub check: fn(&RouterSpec, usize) -> Result<(), SpecError>,
    /// What must be known of it with these numbers.
    pub facts: fn(&RouterSpec) -> Facts,
    /// Routes one group of tokens by a spec that was checked.
    pub assign: fn(&RouterSpec, &Group) -> Routing,
}

/// A rule that blends by gate logits. [`Mixer`](crate::Mixer) has its formula.
#[derive(Debug, Clone, Copy)]
pub struct Mixes {
    /// Its text.
    pub form: Form<MixerSpec>,
    /// Can it run with these numbers on a gate of so many columns, at least one?
    pub check: fn(&MixerSpec, usize) -> Result<(), SpecError>,
    /// Does a token's share depend on later tokens of its sequence?
    pub looks_ahead: bool,
}

/// A rule that no text can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InRust {
    /// What comes out.
    pub kind: Kind,
    /// Its module, `moe_router::token_choice::thor`.
    pub module: &'static str,
    /// The text of the rule that comes nearest.
    pub instead: &'static str,
    /// Does what a token gets depend on later tokens?
    pub looks_ahead: bool,
}

/// What comes out of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Tokens are assigned to experts: a [`Routing`].
    Assigns,
    /// Tokens or experts are blended: a [`Mixing`](moe_trace::Mixing).
    Mixes,
    /// Scores come out: gate logits, which a rule that assigns then takes, or a gate's weights.
    Scores,
}

impl Rule {
    /// What comes out.
    pub fn kind(&self) -> Kind {
        match self.run {
            Run::Assigns(_) => Kind::Assigns,
            Run::Mixes(_) => Kind::Mixes,
            Run::InRust(rule) => rule.kind,
        }
    }

    /// Is what a token gets independent of later tokens, with the numbers of the rule's example? Of the rule itself; a
    /// capacity may look ahead in addition.
    pub fn is_causal(&'static self) -> bool {
        match self.run {
            Run::Assigns(rule) => {
                let arguments = rule.form.example.split_once(':').map_or("", |(_, arguments)| arguments);
                let given = Given::read(self, arguments).expect("tests/it/table.rs: examples can be read");
                let example = (rule.form.read)(&given).expect("tests/it/table.rs: examples are complete");
                let facts = (rule.facts)(&example);
                !facts.looks_ahead && facts.slots != Slots::OwnOrder { looks_ahead: true }
            }
            Run::Mixes(rule) => !rule.looks_ahead,
            Run::InRust(rule) => !rule.looks_ahead,
        }
    }

    /// Its papers, cut where a link begins and ends.
    pub fn citations(&self) -> impl Iterator<Item = Citation<'static>> + use<> {
        citations(self.paper)
    }

    /// The arguments of its text, in the order in which they may stand without keys; `None` for a rule without a text.
    pub fn arguments(&self) -> Option<&'static [Argument]> {
        match self.run {
            Run::Assigns(rule) => Some(rule.form.arguments),
            Run::Mixes(rule) => Some(rule.form.arguments),
            Run::InRust(_) => None,
        }
    }

    /// A complete text, with the numbers of its paper where they fit a small layer; `None` for a rule without a text.
    pub fn example(&self) -> Option<&'static str> {
        match self.run {
            Run::Assigns(rule) => Some(rule.form.example),
            Run::Mixes(rule) => Some(rule.form.example),
            Run::InRust(_) => None,
        }
    }

    /// What its text looks like: `top_k:k=K[,weighting=norm|raw|softmax_after][,p=P]`; only the name for a rule without.
    pub fn usage(&self) -> String {
        form::usage(self.name, self.arguments().unwrap_or_default())
    }
}

/// A function of the rule's own numbers: `own!(RouterSpec::Noisy { k, std } => …)`. The list of rules hands a rule no
/// spec but its own.
macro_rules! own {
    ($own:pat => $value:expr) => {
        |spec| match *spec {
            $own => $value,
            _ => unreachable!("a spec of another rule"),
        }
    };
    ($own:pat, $other:ident => $value:expr) => {
        |spec, $other| match *spec {
            $own => $value,
            _ => unreachable!("a spec of another rule"),
        }
    };
}
pub(crate) use own;
