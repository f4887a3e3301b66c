//! A condition as it is written, read: a quantity, a sign, and what it is compared with.

use moe_router::decimal;

use super::{Argument, COMPARISONS, Comparison, Condition, Measure, Other, Quantity};

/// The byte of the text at which it goes wrong, what is wrong, and what would be right.
type Wrong = (usize, String, String);

impl Condition {
    /// Such as `dropped == 2`.
    pub fn parse(text: &str) -> Result<Condition, Wrong> {
        let found = COMPARISONS.iter().filter_map(|(sign, comparison)| Some((text.find(sign)?, *sign, *comparison)));
        // The first of the text, and of two at one place the longer, which comes first in the list.
        let Some((at, sign, comparison)) = found.min_by_key(|(at, ..)| *at) else {
            let signs: Vec<&str> = COMPARISONS.iter().map(|(sign, _)| *sign).collect();
            let right = format!("write it like dropped == 2, with one of {}", signs.join(" "));
            return Err((0, format!("“{text}” compares nothing"), right));
        };
        let quantity = quantity(&text[..at], 0)?;
        let behind = at + sign.len();
        let other = other(&text[behind..], behind, quantity.measure)?;
        if quantity.measure.is_word() && !matches!(comparison, Comparison::Is | Comparison::IsNot) {
            return Err((at, format!("a word cannot be compared by {sign}"), "use == or !=".to_owned()));
        }
        Ok(Condition { quantity, comparison, other })
    }
}

impl Measure {
    /// All of them as they are written.
    pub fn words_of_all() -> String {
        let written = |measure: &Measure| match measure.argument() {
            Argument::None => measure.as_str().to_owned(),
            Argument::Expert | Argument::Choice => format!("{}(…)", measure.as_str()),
        };
        Measure::ALL.iter().map(written).collect::<Vec<_>>().join(", ")
    }
}

/// What stands on the right, from this byte of the condition on.
fn other(text: &str, begin: usize, of: Measure) -> Result<Other, Wrong> {
    let (word, at) = trimmed(text, begin);
    if of.is_word() {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        return match !word.is_empty() && word.chars().all(is_plain) {
            true => Ok(Other::Word(word.to_owned())),
            false => Err((at, format!("“{word}” is not a name"), format!("write it like {} == drop", of.as_str()))),
        };
    }
    if let Some(number) = decimal::read_f32(word) {
        return Ok(Other::Number(number.into()));
    }
    let quantity = quantity(text, begin)?;
    match quantity.measure.is_word() {
        false => Ok(Other::Quantity(quantity)),
        true => Err((at, format!("{word} is a word, and {} a number", of.as_str()), "compare numbers".to_owned())),
    }
}

/// A name, and in brackets what it needs.
fn quantity(text: &str, begin: usize) -> Result<Quantity, Wrong> {
    let (whole, at) = trimmed(text, begin);
    let (name, bracket) = match whole.split_once('(') {
        Some((name, rest)) => (name.trim_end(), Some(rest)),
        None => (whole, None),
    };
    let Some(measure) = Measure::of_word(name) else {
        return Err((at, format!("nothing is called “{name}”"), format!("there are {}", Measure::words_of_all())));
    };
    let example = |index: usize| format!("write {}({index})", measure.as_str());
    let number = bracket.and_then(|rest| rest.strip_suffix(')')).map(str::trim);
    match (measure.argument(), bracket, number.and_then(|number| number.parse::<u16>().ok())) {
        (Argument::None, None, _) => Ok(Quantity { measure, index: 0 }),
        (Argument::None, Some(_), _) => {
            Err((at, format!("{name} has nothing in brackets"), format!("write {name} alone")))
        }
        (Argument::Choice, _, Some(index @ 1..)) | (Argument::Expert, _, Some(index)) => {
            Ok(Quantity { measure, index: index.into() })
        }
        (Argument::Expert, ..) => Err((at, format!("{name} needs an expert, counted from 0"), example(3))),
        (Argument::Choice, ..) => Err((at, format!("{name} needs a choice, counted from 1"), example(1))),
    }
}

/// The text without blanks around it, and where it begins.
fn trimmed(text: &str, begin: usize) -> (&str, usize) {
    let before = text.len() - text.trim_start().len();
    (text.trim(), begin + before)
}
