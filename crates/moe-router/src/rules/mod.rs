//! The table of all rules: what each is called, does, comes from, looks at and was trained with.
//!
//! Data, so that the page, the documentation (`docs/ROUTING_RULES.md` is generated from it) and the parser of textual
//! forms tell the same story. Names are the heads of the forms in [`ROUTER_FORMS`] and [`MIXER_FORMS`].
//!
//! ```
//! let rule = moe_router::rules::find("expert_choice").expect("a rule");
//! assert!(!rule.causal);
//! assert_eq!(rule.form().map(|form| form.example), Some("expert_choice:2"));
//! ```

use moe_trace::{Form, MIXER_FORMS, NOT_FROM_GATE_LOGITS, NeedsMore, ROUTER_FORMS, RouterSpec};

mod choosing;
mod citation;
mod grouping;
mod mixing;
mod scoring;

pub use citation::Citation;

/// One rule of the survey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleInfo {
    /// The head of its textual form, `top_k`; for rules that have none, its file or function here.
    pub name: &'static str,
    /// What people call it: "Top-k (Mixtral, OLMoE)".
    pub title: &'static str,
    /// What it does, in one line.
    pub one_line: &'static str,
    /// Authors, year and where to find it.
    pub paper: &'static str,
    /// Where in the paper; or where in the authors' code or in the survey, if that is what we have read. `None` where it is
    /// neither.
    pub equation: Option<&'static str>,
    /// What comes out.
    pub kind: Kind,
    /// Is what a token gets independent of later tokens? Of the rule itself; a capacity may look ahead in addition.
    pub causal: bool,
    /// What it looks at besides gate logits: "nothing", "normal draws".
    pub needs: &'static str,
    /// The numbers its paper or best-known model trained with.
    pub trained_with: &'static str,
    /// What differs at inference: "the same".
    pub at_inference: &'static str,
}

/// What comes out of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Tokens are assigned to experts: a [`Routing`](moe_trace::Routing).
    Assigns,
    /// Tokens or experts are blended: a [`Mixing`](moe_trace::Mixing).
    Mixes,
    /// Scores come out: gate logits, which a rule that assigns then takes, or a gate's weights.
    Scores,
}

/// All rules: those that assign, those that mix, those that score.
pub fn all() -> impl Iterator<Item = &'static RuleInfo> {
    [choosing::RULES, grouping::RULES, mixing::RULES, scoring::RULES].into_iter().flatten()
}

/// The row of a spec. It looks among the rules that assign only, so that the page need not carry the others' texts.
pub fn of(spec: &RouterSpec) -> &'static RuleInfo {
    let mut assigning = [choosing::RULES, grouping::RULES].into_iter().flatten();
    assigning.find(|rule| rule.name == spec.name()).expect("tests/rules_table.rs: every form has a row")
}

/// The rule of this name.
pub fn find(name: &str) -> Option<&'static RuleInfo> {
    all().find(|rule| rule.name == name)
}

impl RuleInfo {
    /// Its papers, cut where a link begins and ends.
    pub fn citations(&self) -> impl Iterator<Item = Citation> + use<> {
        citation::citations(self.paper)
    }

    /// Its textual form, with an example; `None` for a rule that gate logits are not enough for.
    pub fn form(&self) -> Option<&'static Form> {
        ROUTER_FORMS.iter().chain(MIXER_FORMS).find(|form| form.head == self.name)
    }

    /// For a rule without a form: what it needs besides gate logits, and what to use instead.
    pub fn needs_more(&self) -> Option<&'static NeedsMore> {
        NOT_FROM_GATE_LOGITS.iter().find(|rule| rule.name == self.name)
    }

    /// What a rule without a form needs besides gate logits, as the parser's error says it.
    pub fn why_no_form(&self) -> Option<&'static str> {
        self.needs_more().map(|rule| rule.needs)
    }
}
