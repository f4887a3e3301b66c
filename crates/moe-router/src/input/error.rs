//! What is wrong with an input, in numbers and in words, and the checks that find it.

use std::fmt;

/// An input that no router can route. The message names the part and what is allowed.
#[derive(Debug, Clone, PartialEq)]
pub enum InputError {
    /// Gate logits with another number of columns.
    Experts {
        /// Columns the spec was checked for.
        checked: usize,
        /// Columns of the gate logits.
        found: usize,
    },
    /// Logits of a gate over groups that are not the spec's.
    Groups {
        /// Groups of the spec.
        groups: usize,
        /// Columns of the group logits.
        found: usize,
    },
    /// A number that is not finite or outside its range.
    Number {
        /// "uniform draw", "bias".
        what: &'static str,
        /// Where in its list.
        at: usize,
        /// The number.
        found: f32,
        /// "a number from 0 to 1".
        allowed: &'static str,
    },
    /// A number that stands alone and is not finite or outside its range.
    Value {
        /// "temperature".
        what: &'static str,
        /// The number.
        found: f32,
        /// "a finite number above 0, such as 0.3".
        allowed: &'static str,
    },
    /// Rows or columns that do not fit another part of the input.
    Shape {
        /// "rows of group logits".
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        needed: usize,
    },
    /// A list that is neither empty nor of its length.
    Length {
        /// "biases", "marks of padding".
        what: &'static str,
        /// Its length.
        found: usize,
        /// The length it should have.
        needed: usize,
    },
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InputError::Experts { checked, found } => {
                write!(f, "The gate logits have {found} columns; the spec was checked for {checked}.")
            }
            InputError::Groups { groups, found } => {
                write!(f, "The group logits have {found} columns; the spec has {groups} groups.")
            }
            InputError::Number { what, at, found, allowed } => {
                write!(f, "The {what} at index {at} is {found}; allowed: {allowed}.")
            }
            InputError::Value { what, found, allowed } => write!(f, "The {what} is {found}; allowed: {allowed}."),
            InputError::Shape { what, found, needed } => {
                write!(f, "There are {found} {what}; allowed: {needed}.")
            }
            InputError::Length { what, found, needed } => {
                write!(f, "There are {found} {what}; allowed: {needed}, or none.")
            }
        }
    }
}

impl std::error::Error for InputError {}

pub(crate) fn number(
    what: &'static str,
    values: &[f32],
    is_allowed: impl Fn(f32) -> bool,
    allowed: &'static str,
) -> Result<(), InputError> {
    match values.iter().position(|&value| !is_allowed(value)) {
        None => Ok(()),
        Some(at) => Err(InputError::Number { what, at, found: values[at], allowed }),
    }
}

pub(crate) fn positive(what: &'static str, found: f32, allowed: &'static str) -> Result<(), InputError> {
    if found.is_finite() && found > 0.0 { Ok(()) } else { Err(InputError::Value { what, found, allowed }) }
}

pub(crate) fn shape(what: &'static str, found: usize, needed: usize) -> Result<(), InputError> {
    if found == needed { Ok(()) } else { Err(InputError::Shape { what, found, needed }) }
}

pub(crate) fn length(what: &'static str, found: usize, needed: usize) -> Result<(), InputError> {
    if found == 0 || found == needed { Ok(()) } else { Err(InputError::Length { what, found, needed }) }
}
