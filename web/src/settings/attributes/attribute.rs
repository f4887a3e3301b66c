//! What an attribute is: a name, the values it may have, and what a good one does to the configuration.

use std::fmt;
use std::ops::RangeInclusive;

use moe_router::decimal;
use moe_trace::UserError;

use crate::settings::attributes::Config;
use crate::settings::shown::Shown;

/// A row of the table.
pub struct Attribute {
    pub name: &'static str,
    pub values: Values,
    /// What counts without the attribute, or with a value that cannot be used.
    pub default: Doc,
    pub doc: Doc,
    /// The text that says what stands on the screen; `None` where it is the default, or no part of the picture.
    pub told: fn(&Shown) -> Option<String>,
}

/// The values that can be used. Each kind reads the text and gives the value to the row's function.
pub enum Values {
    /// One of these words.
    Words(&'static [&'static str], fn(&str, &mut Config)),
    Whole(RangeInclusive<u32>, fn(u32, &mut Config)),
    /// A decimal number.
    Number(RangeInclusive<f32>, fn(f32, &mut Config)),
    /// 0, or a decimal number of this range.
    ZeroOr(RangeInclusive<f32>, fn(f32, &mut Config)),
    /// A text as it stands. One that is longer is taken too, and reported.
    Text {
        max_chars: usize,
        take: fn(String, &mut Config),
    },
    /// A text with a grammar of its own: what may be written, and a reader that says whether it understood.
    Written(fn() -> String, fn(&str, &mut Config) -> bool),
    /// The same with a reader that says what is wrong and how it would be right. It reads the text as it stands.
    Explained(fn() -> String, fn(&str, &mut Config) -> Result<(), String>),
    /// An address, of what is said in words. The document says what it is relative to.
    Address(&'static str, fn(String, &mut Config)),
}

/// A phrase for the generated files, in Markdown. The page itself carries none of them.
pub struct Doc {
    #[cfg(not(target_family = "wasm"))]
    pub text: &'static str,
}

impl Doc {
    pub const fn new(text: &'static str) -> Doc {
        #[cfg(target_family = "wasm")]
        let _ = text;
        Doc {
            #[cfg(not(target_family = "wasm"))]
            text,
        }
    }
}

impl Attribute {
    /// Does to the configuration what this text asks for, or says why it cannot be used. An empty text asks for nothing.
    pub fn read(&self, text: &str, config: &mut Config) -> Result<(), UserError> {
        let value = text.trim();
        let understood = match &self.values {
            Values::Text { .. } if text.is_empty() => true,
            Values::Text { max_chars, take } => {
                take(text.to_owned(), config);
                return self.check_length(text, *max_chars);
            }
            _ if value.is_empty() => true,
            Values::Words(words, take) => {
                let word = value.replace(['_', ' '], "-");
                let found = words.iter().find(|known| **known == word);
                found.map(|word| take(word, config)).is_some()
            }
            Values::Whole(range, take) => {
                let number = value.parse().ok().filter(|number| range.contains(number));
                number.map(|number| take(number, config)).is_some()
            }
            Values::Number(range, take) => {
                let number = decimal::read(value).map(|number| number as f32).filter(|number| range.contains(number));
                number.map(|number| take(number, config)).is_some()
            }
            Values::ZeroOr(range, take) => {
                let number = decimal::read(value)
                    .map(|number| number as f32)
                    .filter(|number| *number == 0.0 || range.contains(number));
                number.map(|number| take(number, config)).is_some()
            }
            Values::Written(_, read) => read(value, config),
            Values::Explained(_, read) => {
                return read(text, config).map_err(|why| self.unusable(text, format!("{why}.")));
            }
            Values::Address(_, take) => {
                take(value.to_owned(), config);
                true
            }
        };
        if understood {
            return Ok(());
        }
        Err(self.unusable(text, say!("Allowed: {values}.", values = self.values)))
    }

    fn unusable(&self, text: &str, why: String) -> UserError {
        let what =
            say!("The attribute {attribute} cannot be used.", attribute = format_args!("{}=\"{text}\"", self.name));
        UserError::new(what, why, say!("It is left out, as if it were not there; everything else works as before."))
    }

    fn check_length(&self, text: &str, max_chars: usize) -> Result<(), UserError> {
        let num_chars = text.chars().count();
        if num_chars <= max_chars {
            return Ok(());
        }
        Err(UserError::new(
            say!("The attribute {name} is too long to run.", name = self.name),
            say!("It has {num_chars} characters; the limit is {max_chars}.", num_chars, max_chars),
            say!("It stands complete in the {name} field; shorten it there.", name = self.name),
        ))
    }
}

/// What is allowed, as messages and documentation say it.
impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Values::Words(words, _) => f.write_str(&words.join(", ")),
            Values::Whole(range, _) => {
                f.write_str(&say!("a whole number from {least} to {most}", least = range.start(), most = range.end()))
            }
            Values::Number(range, _) => {
                f.write_str(&say!("a number from {least} to {most}", least = range.start(), most = range.end()))
            }
            Values::ZeroOr(range, _) => {
                f.write_str(&say!("0, or a number from {least} to {most}", least = range.start(), most = range.end()))
            }
            Values::Text { max_chars, .. } => f.write_str(&say!("a text of up to {max_chars} characters", max_chars)),
            Values::Written(allowed, _) | Values::Explained(allowed, _) => f.write_str(&allowed()),
            Values::Address(what, _) => f.write_str(what),
        }
    }
}
