//! `top_k:2,raw` and a spec are the same thing.
//!
//! A rule is a head and its arguments, `deepseek:k=8,groups=4,kept=2,scale=2.5`. Every argument may be given as
//! `key=value`; most may also stand without a key, in the order of the form, and a word (`raw`) may stand anywhere.
//! What a spec prints is read as the same spec.

use moe_trace::{MixerSpec, ParseSpecError, RouterSpec};

use super::{ASSIGNING, MIXING, assigns, find, mixes, of, of_mixer};
use crate::rule::{Form, Given, Rule, Run};

/// Reads a rule that assigns: `top_k:2`. Errors name the offending part and what is allowed.
pub fn parse_router(text: &str) -> Result<RouterSpec, ParseSpecError> {
    let name = head_and_rest(text).0;
    match find(name).map(|rule| (rule, rule.run)) {
        Some((rule, Run::InRust(run))) => {
            let what = format!("a rule that can be run from gate logits, because it needs {}", rule.needs);
            Err(ParseSpecError::new(what, name, format!("{} instead, or {} in Rust", run.instead, run.module)))
        }
        Some((_, Run::Mixes(_))) => {
            let what = "a rule that assigns tokens to experts: it mixes";
            Err(ParseSpecError::new(what, name, usages(ASSIGNING)))
        }
        Some((rule, Run::Assigns(run))) => read(text, rule, &run.form),
        None => Err(ParseSpecError::new("a routing rule", name, usages(ASSIGNING))),
    }
}

/// Reads a rule that mixes: `soft_moe:1`. Errors name the offending part and what is allowed.
pub fn parse_mixer(text: &str) -> Result<MixerSpec, ParseSpecError> {
    let name = head_and_rest(text).0;
    match find(name).map(|rule| (rule, rule.run)) {
        Some((rule, Run::Mixes(run))) => read(text, rule, &run.form),
        _ => Err(ParseSpecError::new("a mixing rule", name, usages(MIXING))),
    }
}

/// The text that is read as this spec: `top_k:2`.
pub fn router_text(spec: &RouterSpec) -> String {
    assigns(spec).form.text(of(spec).name, spec)
}

/// The text that is read as this spec: `soft_moe:1`.
pub fn mixer_text(spec: &MixerSpec) -> String {
    mixes(spec).form.text(of_mixer(spec).name, spec)
}

fn read<Spec>(text: &str, rule: &'static Rule, form: &Form<Spec>) -> Result<Spec, ParseSpecError> {
    let given = Given::read(rule, head_and_rest(text).1)?;
    let incomplete = || ParseSpecError::new(format!("a complete form of {}", rule.name), text.trim(), rule.usage());
    (form.read)(&given).ok_or_else(incomplete)
}

fn head_and_rest(text: &str) -> (&str, &str) {
    let (head, rest) = text.split_once(':').unwrap_or((text, ""));
    (head.trim(), rest)
}

/// What the texts of these rules look like, for an error message.
fn usages(rules: &[&Rule]) -> String {
    let with_text = rules.iter().filter(|rule| rule.arguments().is_some());
    with_text.map(|rule| rule.usage()).collect::<Vec<String>>().join(", ")
}
