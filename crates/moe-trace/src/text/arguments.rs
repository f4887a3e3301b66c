//! Reading `k=8,groups=4` or `8,4` by a form: which value belongs to which argument.

use crate::text::form::{Argument, Form, Value, list};
use crate::text::{ParseSpecError, unknown};

/// The form that a text follows and the values it gives, each checked to be of its argument's kind.
#[derive(Debug)]
pub(crate) struct Arguments<'a> {
    pub form: &'static Form,
    values: Vec<(&'static str, &'a str)>,
}

impl<'a> Arguments<'a> {
    /// Splits `text` into head and arguments. `what` is looked for among `forms`: "routing rule".
    pub fn read(text: &'a str, what: &str, forms: &'static [Form]) -> Result<Arguments<'a>, ParseSpecError> {
        let (head, rest) = text.trim().split_once(':').unwrap_or((text.trim(), ""));
        let head = head.trim();
        let Some(form) = forms.iter().find(|form| form.head == head) else {
            return unknown(what, head, list(forms));
        };
        let mut arguments = Arguments { form, values: Vec::new() };
        for piece in rest.split(',').map(str::trim).filter(|piece| !piece.is_empty()) {
            let (argument, value) = match piece.split_once('=') {
                Some((key, value)) => (arguments.named(key.trim()), value.trim()),
                None => (arguments.bare(piece), piece),
            };
            let Some(argument) = argument else {
                let what = if form.arguments.is_empty() { "argument" } else { "free argument" };
                return unknown(format!("{what} of {head}"), piece, form);
            };
            check(argument, value, form)?;
            arguments.values.push((argument.key, value));
        }
        Ok(arguments)
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
        self.form.arguments.iter().filter(|argument| self.word(argument.key).is_none())
    }

    /// A word or the text of a number, if it was given.
    pub fn word(&self, key: &str) -> Option<&'a str> {
        self.values.iter().find(|(of, _)| *of == key).map(|(_, value)| *value)
    }

    /// Those among `keys` that were given, as they were.
    pub fn given(&self, keys: &[&str]) -> impl Iterator<Item = (&'static str, &'a str)> {
        self.values.iter().copied().filter(|(key, _)| keys.contains(key))
    }

    /// A whole number, if it was given.
    pub fn count(&self, key: &str) -> Option<u32> {
        self.word(key)?.parse().ok()
    }

    /// A finite number, if it was given.
    pub fn number(&self, key: &str) -> Option<f32> {
        self.word(key)?.parse().ok()
    }
}

fn check(argument: &Argument, value: &str, form: &Form) -> Result<(), ParseSpecError> {
    let example = form.example;
    match argument.value {
        Value::Count if value.parse::<u32>().is_err() => unknown(
            format!("value for {} of {}", argument.key, form.head),
            value,
            format!("a whole number, as in {example}"),
        ),
        Value::Number if !value.parse::<f32>().is_ok_and(f32::is_finite) => unknown(
            format!("value for {} of {}", argument.key, form.head),
            value,
            format!("a finite number, as in {example}"),
        ),
        Value::Word(words) if !words.contains(&value) => {
            unknown(format!("{} of {}", argument.key, form.head), value, words.join(", "))
        }
        _ => Ok(()),
    }
}
