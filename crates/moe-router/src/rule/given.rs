//! Reading `k=8,groups=4` or `8,4` by a form: which value belongs to which argument.

use moe_trace::ParseSpecError;

use crate::decimal;
use crate::rule::{Argument, Rule, Value};

/// The arguments that a text gives, each checked to be of its kind.
#[derive(Debug)]
pub struct Given<'a> {
    rule: &'static Rule,
    values: Vec<(&'static Argument, &'a str)>,
}

impl<'a> Given<'a> {
    /// Reads what stands after the head of a rule's text.
    pub(crate) fn read(rule: &'static Rule, text: &'a str) -> Result<Given<'a>, ParseSpecError> {
        let mut given = Given { rule, values: Vec::new() };
        for piece in text.split(',').map(str::trim).filter(|piece| !piece.is_empty()) {
            let (argument, value) = match piece.split_once('=') {
                Some((key, value)) => (given.named(key.trim()), value.trim()),
                None => (given.bare(piece), piece),
            };
            let Some(argument) = argument else {
                let takes_none = rule.arguments().is_none_or(<[Argument]>::is_empty);
                let what = if takes_none { "an argument" } else { "a free argument" };
                return Err(ParseSpecError::new(format!("{what} of {}", rule.name), piece, rule.usage()));
            };
            check(argument, value, rule)?;
            given.values.push((argument, value));
        }
        let exclusive = given.values.iter().filter(|(argument, _)| argument.exclusive);
        let exclusive: Vec<String> = exclusive.map(|(argument, value)| format!("{}={value}", argument.key)).collect();
        if exclusive.len() > 1 {
            let what = format!("a pair of arguments of {} that go together", rule.name);
            return Err(ParseSpecError::new(what, exclusive.join(","), format!("one of them in {}", rule.usage())));
        }
        Ok(given)
    }

    /// The argument with this key, unless it has a value already.
    fn named(&self, key: &str) -> Option<&'static Argument> {
        self.free().find(|argument| argument.key == key)
    }

    /// The argument that a value without a key belongs to: the one that knows the word, or the next in order.
    fn bare(&self, piece: &str) -> Option<&'static Argument> {
        let knows = |argument: &&Argument| matches!(argument.value, Value::Word(words) if words.contains(&piece));
        let next = |argument: &&Argument| argument.bare && !matches!(argument.value, Value::Word(_));
        self.free().find(knows).or_else(|| self.free().find(next))
    }

    fn free(&self) -> impl Iterator<Item = &'static Argument> {
        let arguments = self.rule.arguments().unwrap_or_default();
        arguments.iter().filter(|argument| self.word(argument.key).is_none())
    }

    /// A word or the text of a number, if it was given.
    pub fn word(&self, key: &str) -> Option<&'a str> {
        self.values.iter().find(|(of, _)| of.key == key).map(|(_, value)| *value)
    }

    /// A whole number, if it was given.
    pub fn count(&self, key: &str) -> Option<u32> {
        self.word(key)?.parse().ok()
    }

    /// A finite number, if it was given.
    pub fn number(&self, key: &str) -> Option<f32> {
        decimal::read_f32(self.word(key)?)
    }
}

fn check(argument: &Argument, value: &str, rule: &'static Rule) -> Result<(), ParseSpecError> {
    let (key, name, example) = (argument.key, rule.name, rule.example().unwrap_or_default());
    let refused = |allowed: String| Err(ParseSpecError::new(format!("a value for {key} of {name}"), value, allowed));
    match argument.value {
        Value::Count if value.parse::<u32>().is_err() => refused(format!("a whole number, as in {example}")),
        Value::Number if decimal::read_f32(value).is_none() => refused(format!("a finite number, as in {example}")),
        Value::Word(words) if !words.contains(&value) => {
            Err(ParseSpecError::new(format!("a value for {key} of {name}"), value, words.join(", ")))
        }
        _ => Ok(()),
    }
}
