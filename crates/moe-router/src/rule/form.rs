//! What a rule's text looks like: which arguments it takes, how a spec is made of them, and which a spec prints.

use std::fmt;

use crate::rule::Given;

/// The textual form of one rule. Its head is the rule's name.
#[derive(Debug, Clone, Copy)]
pub struct Form<Spec> {
    /// Its arguments, in the order in which they may stand without keys.
    pub arguments: &'static [Argument],
    /// A complete text, with the numbers of the rule's paper where they fit a small layer.
    pub example: &'static str,
    /// The spec that these arguments make; `None` where one is missing.
    pub read: fn(&Given) -> Option<Spec>,
    /// The arguments of a spec, in the order in which they are printed; what is left out is read as it is.
    pub print: fn(&Spec) -> Vec<(&'static str, Printed)>,
}

/// One argument of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argument {
    /// The name before `=`.
    pub key: &'static str,
    /// What may stand after it.
    pub value: Value,
    /// May it be left out?
    pub optional: bool,
    /// May its value stand without the key?
    pub bare: bool,
    /// Of a rule's exclusive arguments one may be given at most.
    pub exclusive: bool,
}

/// What kind of value an argument takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// A whole number from 0.
    Count,
    /// A finite number.
    Number,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// A value of a spec, to be printed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Printed {
    /// A whole number.
    Count(u32),
    /// A finite number.
    Number(f32),
    /// One of the argument's words.
    Word(&'static str),
}

impl Argument {
    /// The number of experts a token asks.
    pub(crate) const K: Argument = Argument::count("k");

    pub(crate) const fn count(key: &'static str) -> Argument {
        Argument { key, value: Value::Count, optional: false, bare: true, exclusive: false }
    }

    pub(crate) const fn number(key: &'static str) -> Argument {
        Argument { value: Value::Number, ..Argument::count(key) }
    }

    /// Words need no key: each names its argument.
    pub(crate) const fn word(key: &'static str, words: &'static [&'static str]) -> Argument {
        Argument { value: Value::Word(words), optional: true, ..Argument::count(key) }
    }

    pub(crate) const fn optional(self) -> Argument {
        Argument { optional: true, ..self }
    }

    pub(crate) const fn keyed(self) -> Argument {
        Argument { bare: false, ..self }
    }

    pub(crate) const fn exclusive(self) -> Argument {
        Argument { exclusive: true, ..self }
    }

    fn is_word(&self) -> bool {
        matches!(self.value, Value::Word(_))
    }
}

impl<Spec> Form<Spec> {
    /// The text of `spec`, which is read as the same spec. A number stands without its key where it is the only one that
    /// may.
    pub(crate) fn text(&self, name: &str, spec: &Spec) -> String {
        let is_alone = self.arguments.iter().filter(|argument| argument.bare && !argument.is_word()).count() == 1;
        let piece = |(key, value): (&str, Printed)| {
            let argument = self.arguments.iter().find(|argument| argument.key == key);
            let is_bare = argument.is_some_and(|argument| argument.is_word() || argument.bare && is_alone);
            if is_bare { value.to_string() } else { format!("{key}={value}") }
        };
        let pieces: Vec<String> = (self.print)(spec).into_iter().map(piece).collect();
        if pieces.is_empty() { name.to_owned() } else { format!("{name}:{}", pieces.join(",")) }
    }
}

/// `top_k:k=K[,weighting=norm|raw|softmax_after][,p=P]`
pub(super) fn usage(name: &str, arguments: &[Argument]) -> String {
    let mut usage = name.to_owned();
    for (at, argument) in arguments.iter().enumerate() {
        let separator = if at == 0 { ":" } else { "," };
        let (open, close) = if argument.optional { ("[", "]") } else { ("", "") };
        usage += &format!("{open}{separator}{}={argument}{close}", argument.key);
    }
    usage
}

impl fmt::Display for Argument {
    /// What may stand after the `=`: `K`, or `norm|raw`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value {
            Value::Count | Value::Number => f.write_str(&self.key.to_ascii_uppercase()),
            Value::Word(words) => f.write_str(&words.join("|")),
        }
    }
}

impl fmt::Display for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Printed::Count(count) => count.fmt(f),
            Printed::Number(number) => number.fmt(f),
            Printed::Word(word) => f.write_str(word),
        }
    }
}

impl From<u32> for Printed {
    fn from(count: u32) -> Printed {
        Printed::Count(count)
    }
}

impl From<f32> for Printed {
    fn from(number: f32) -> Printed {
        Printed::Number(number)
    }
}

impl From<&'static str> for Printed {
    fn from(word: &'static str) -> Printed {
        Printed::Word(word)
    }
}
