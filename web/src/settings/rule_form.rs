//! Every rule as a form to fill in, drawn from the rules' own declarations: which rules there are, which fields one has,
//! and what becomes of it when a field changes. The only file of the page that knows how a rule is written.

use std::borrow::Cow;
use std::fmt::Write;

use moe_router::rule::{Argument, Rule, Value};
use moe_router::{Router, rules};
use moe_trace::{Overflow, RouterSpec, RoutingGroup, RoutingSpec};

use crate::words::tongue;

/// What is written as the name of a rule with its arguments, and read again.
pub trait Written: Copy + PartialEq {
    fn rule(&self) -> &'static Rule;
    fn text(&self) -> String;
    fn read(text: &str) -> Option<Self>;
}

impl Written for RouterSpec {
    fn rule(&self) -> &'static Rule {
        rules::of(self)
    }

    fn text(&self) -> String {
        rules::router_text(self)
    }

    fn read(text: &str) -> Option<RouterSpec> {
        rules::parse_router(text).ok()
    }
}

/// One argument of a rule, with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub key: &'static str,
    pub kind: FieldKind,
    /// Empty where it is left out.
    pub value: String,
    pub is_optional: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// A whole number from 0.
    Count,
    Number,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// All rules that can be asked for, in the order of the table of rules, each with the numbers of its example.
pub fn all() -> impl Iterator<Item = RouterSpec> {
    rules::all().filter_map(|rule| rules::parse_router(rule.example()?).ok())
}

/// What people call a rule.
pub fn title(rule: &RouterSpec) -> Cow<'static, str> {
    tongue::translated(rules::of(rule).title)
}

/// What a rule does, in a line.
pub fn one_line(rule: &RouterSpec) -> Cow<'static, str> {
    tongue::translated(rules::of(rule).one_line)
}

/// The fields of a rule, in the order of its form.
pub fn fields<W: Written>(rule: &W) -> Vec<Field> {
    let text = rule.text();
    let mut left: Vec<&str> = text.split_once(':').map_or(Vec::new(), |(_, rest)| rest.split(',').collect());
    let mut fields: Vec<Field> = rule.rule().arguments().unwrap_or_default().iter().map(empty).collect();
    for field in &mut fields {
        let named = |piece: &str| piece.strip_prefix(field.key)?.strip_prefix('=').map(str::to_owned);
        let bare = |piece: &str| match field.kind {
            FieldKind::Word(words) => words.contains(&piece).then(|| piece.to_owned()),
            _ => piece.starts_with(|c: char| c.is_ascii_digit() || c == '-').then(|| piece.to_owned()),
        };
        let found = left.iter().enumerate().find_map(|(at, piece)| Some((at, named(piece).or_else(|| bare(piece))?)));
        if let Some((at, value)) = found {
            left.remove(at);
            field.value = value;
        }
    }
    // A word that is not written is the one that changes nothing.
    for at in 0..fields.len() {
        if let FieldKind::Word(words) = fields[at].kind
            && fields[at].value.is_empty()
        {
            let is_meant = |word: &&&str| read(rule, &with(&fields, at, word)) == Some(*rule);
            fields[at].value = words.iter().find(is_meant).map_or(String::new(), |word| (*word).to_owned());
        }
    }
    fields
}

/// The rule with another value in one field. Where that excludes a value in an optional field, the new one counts.
pub fn fill<W: Written>(rule: &W, key: &str, value: &str) -> Option<W> {
    let fields = fields(rule);
    let at = fields.iter().position(|field| field.key == key)?;
    let filled = with(&fields, at, value.trim());
    let without = |other: usize| with(&filled, other, "");
    let optional = (0..filled.len()).filter(|&other| other != at && filled[other].is_optional);
    read(rule, &filled).or_else(|| optional.map(without).find_map(|fields| read(rule, &fields)))
}

/// Why a rule cannot be chosen for a layer of so many experts, where each step routes such a group: a sentence without its
/// full stop.
pub fn obstacle(rule: &RouterSpec, num_experts: usize, group: RoutingGroup) -> Option<String> {
    if *rule == RouterSpec::BalancedHash {
        return Some(say!("It needs to know how often each token occurs in the training text").into_owned());
    }
    if group == RoutingGroup::DecodeStep && rules::facts(rule).looks_ahead {
        return Some(say!("It compares a token with later ones, and a decode step has one token").into_owned());
    }
    let routing = RoutingSpec { router: *rule, overflow: Overflow::Dropless };
    Router::new(routing, num_experts).err().map(|error| error.to_string().trim_end_matches('.').to_owned())
}

fn empty(argument: &Argument) -> Field {
    let kind = match argument.value {
        Value::Count => FieldKind::Count,
        Value::Number => FieldKind::Number,
        Value::Word(words) => FieldKind::Word(words),
    };
    Field { key: argument.key, kind, value: String::new(), is_optional: argument.optional }
}

fn with(fields: &[Field], at: usize, value: &str) -> Vec<Field> {
    let mut fields = fields.to_vec();
    value.clone_into(&mut fields[at].value);
    fields
}

/// The rule that these fields make of it; `None` where they do not go together.
fn read<W: Written>(rule: &W, fields: &[Field]) -> Option<W> {
    let mut text = format!("{}:", rule.rule().name);
    for field in fields.iter().filter(|field| !field.value.is_empty()) {
        // Writing to a text cannot fail.
        let _ = write!(text, "{}={},", field.key, field.value);
    }
    W::read(text.trim_end_matches([',', ':']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> RouterSpec {
        rules::parse_router(text).expect(text)
    }

    #[test]
    fn every_rule_is_what_its_fields_say() {
        for rule in all() {
            let fields = fields(&rule);
            assert_eq!(read(&rule, &fields), Some(rule), "{rule:?}");
            assert!(fields.iter().all(|field| field.is_optional || !field.value.is_empty()), "{rule:?}: {fields:?}");
            for field in &fields {
                assert_eq!(fill(&rule, field.key, &field.value), Some(rule), "{rule:?}, {}", field.key);
            }
        }
    }

    #[test]
    fn fields_show_what_is_in_force() {
        let check = |text: &str, expected: &[(&str, &str)]| {
            let fields = fields(&rule(text));
            let found: Vec<(&str, &str)> = fields.iter().map(|field| (field.key, field.value.as_str())).collect();
            assert_eq!(found, expected, "{text}");
        };
        check("top_k:2", &[("k", "2"), ("weighting", "norm"), ("p", "")]);
        check("top_k:3,p=2", &[("k", "3"), ("weighting", ""), ("p", "2")]);
        check("gshard:threshold=0.3", &[("second", ""), ("normalise", "before"), ("threshold", "0.3"), ("random", "")]);
        check("deepseek:4", &[("k", "4"), ("groups", "1"), ("kept", "1"), ("scale", "1")]);
        check("sinkhorn:1", &[("k", "1"), ("choice", "balanced")]);
        check("relu", &[]);
    }

    #[test]
    fn a_value_that_excludes_another_takes_its_place() {
        let check = |text: &str, key: &str, value: &str, expected: Option<&str>| {
            assert_eq!(fill(&rule(text), key, value), expected.map(rule), "{text} {key}={value}");
        };
        check("top_k:2", "k", "3", Some("top_k:3"));
        check("top_k:2", "p", "2", Some("top_k:2,p=2"));
        check("top_k:2,p=2", "weighting", "raw", Some("top_k:2,raw"));
        check("gshard:proportional", "threshold", "0.3", Some("gshard:threshold=0.3"));
        check("gshard:threshold=0.3", "second", "never", Some("gshard:never"));
        check("gshard:threshold=0.3", "random", "0.2", Some("gshard:random=0.2"));
        check("top_k:2", "k", "", None);
        check("noisy:k=2,std=1", "std", "much", None);
    }

    #[test]
    fn what_cannot_be_run_says_why() {
        let check = |text: &str, num_experts: usize, group: RoutingGroup, expected: Option<&str>| {
            let found = obstacle(&rule(text), num_experts, group);
            assert_eq!(found.is_some(), expected.is_some(), "{text}: {found:?}");
            assert!(found.unwrap_or_default().contains(expected.unwrap_or_default()), "{text}");
        };
        check("top_k:2", 8, RoutingGroup::DecodeStep, None);
        check("top_k:9", 8, RoutingGroup::ThisText, Some("9"));
        check("expert_choice:2", 8, RoutingGroup::ThisText, None);
        check("expert_choice:2", 8, RoutingGroup::DecodeStep, Some("later"));
        check("balanced_hash", 8, RoutingGroup::ThisText, Some("how often"));
    }
}
