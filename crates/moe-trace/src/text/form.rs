//! What a rule's text looks like: its head, and which arguments it takes. One list per kind of rule; parser, error
//! messages and tables of rules all read it.

use std::fmt;

/// The textual form of one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// The name of the rule, before the colon.
    pub head: &'static str,
    /// Its arguments, in the order in which they may stand without keys.
    pub arguments: &'static [Argument],
    /// A complete text, with the numbers of the rule's paper where they fit a small layer.
    pub example: &'static str,
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

impl Argument {
    pub(crate) const fn count(key: &'static str) -> Argument {
        Argument { key, value: Value::Count, optional: false, bare: true }
    }

    pub(crate) const fn number(key: &'static str) -> Argument {
        Argument { key, value: Value::Number, optional: false, bare: true }
    }

    /// Words need no key: each names its argument.
    pub(crate) const fn word(key: &'static str, words: &'static [&'static str]) -> Argument {
        Argument { key, value: Value::Word(words), optional: true, bare: true }
    }

    pub(crate) const fn optional(self) -> Argument {
        Argument { optional: true, ..self }
    }

    pub(crate) const fn keyed(self) -> Argument {
        Argument { bare: false, ..self }
    }
}

impl fmt::Display for Form {
    /// `top_k:k=K[,weighting=norm|raw|softmax_after][,p=P]`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.head)?;
        for (at, argument) in self.arguments.iter().enumerate() {
            let separator = if at == 0 { ":" } else { "," };
            let (open, close) = if argument.optional { ("[", "]") } else { ("", "") };
            write!(f, "{open}{separator}{}={}{close}", argument.key, argument)?;
        }
        Ok(())
    }
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

/// All forms of a list, as an error message shows them.
pub(crate) fn list(forms: &[Form]) -> String {
    forms.iter().map(Form::to_string).collect::<Vec<String>>().join(", ")
}
