//! Two fields of a file that contradict each other, or one beyond its bounds: named with step, layer and both numbers.

use std::fmt;

use crate::ids::LayerIdx;

/// What is wrong with a file: `step 3, layer 2: routing.num_experts is 16, and routes.num_experts is 8`. As small as a
/// pointer, since every check hands it on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{} is {}{}", .0.place, .0.field, .0.found, .0.why)]
pub struct Wrong(Box<Words>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Words {
    place: Place,
    field: String,
    found: String,
    why: String,
}

/// Where in a file a field is: of a step and layer, or of the file's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    pub step: Option<u32>,
    pub layer: Option<LayerIdx>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.step, self.layer) {
            (None, None) => Ok(()),
            (Some(step), None) => write!(f, "step {step}: "),
            (None, Some(layer)) => write!(f, "layer {layer}: "),
            (Some(step), Some(layer)) => write!(f, "step {step}, layer {layer}: "),
        }
    }
}

/// A field's name, written only where it is wrong: `format_args!("tokens[{at}].id")`.
type Field<'a> = fmt::Arguments<'a>;

impl Place {
    /// Of no step in particular.
    pub const HEAD: Place = Place { step: None, layer: None };

    pub fn of_step(step: u32) -> Place {
        Place { step: Some(step), layer: None }
    }

    /// The same step, in a layer.
    pub fn of_layer(self, layer: LayerIdx) -> Place {
        Place { layer: Some(layer), ..self }
    }

    /// A number, or what else `found` is, that cannot be; `why` goes on after it.
    #[cold]
    pub fn wrong(self, field: Field, found: impl fmt::Display, why: Field) -> Wrong {
        let (field, found, why) = (field.to_string(), found.to_string(), why.to_string());
        Wrong(Box::new(Words { place: self, field, found, why }))
    }

    /// Two fields that say the same thing.
    pub fn equal(self, field: Field, found: u64, other: &str, expected: u64) -> Result<(), Wrong> {
        match found == expected {
            true => Ok(()),
            false => Err(self.wrong(field, found, format_args!(", and {other} is {expected}"))),
        }
    }

    /// A number that another field bounds.
    pub fn at_most(self, field: Field, found: u64, other: &str, most: u64) -> Result<(), Wrong> {
        match found <= most {
            true => Ok(()),
            false => Err(self.wrong(field, found, format_args!("; {other} allows at most {most}"))),
        }
    }

    /// An index into a list whose length another field says.
    pub fn index(self, field: Field, found: u64, other: &str, len: u64) -> Result<(), Wrong> {
        match found < len {
            true => Ok(()),
            false => Err(self.wrong(field, found, format_args!(", and {other} is {len}; they count from 0"))),
        }
    }

    /// A count that is not 0 and within what is read.
    pub fn count(self, field: Field, found: u64, most: u64) -> Result<(), Wrong> {
        match found {
            0 => Err(self.wrong(field, found, format_args!("; it must be at least 1"))),
            _ => self.at_most(field, found, "the format", most),
        }
    }

    /// A finite number between two others.
    pub fn number(self, field: Field, found: f32, least: f32, most: f32) -> Result<(), Wrong> {
        match found >= least && found <= most && found.is_finite() {
            true => Ok(()),
            false if !found.is_finite() => Err(self.wrong(field, found, format_args!(", not a finite number"))),
            false => Err(self.wrong(field, found, format_args!("; it must be from {least} to {most}"))),
        }
    }
}
