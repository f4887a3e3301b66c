//! Which numbers a rule can run with on how many experts: the checks that several rules share.

use crate::spec_error::SpecError;

/// Is there anyone to ask?
pub(crate) fn at_least_one(num_experts: usize) -> Result<(), SpecError> {
    if num_experts == 0 { Err(SpecError::NoExperts) } else { Ok(()) }
}

/// May a token ask `k` of so many experts?
pub(crate) fn choices(k: u32, num_experts: usize) -> Result<(), SpecError> {
    let k = k as usize;
    if (1..=num_experts).contains(&k) { Ok(()) } else { Err(SpecError::Choices { k, num_experts }) }
}

/// Do the experts divide into so many equal groups?
pub(crate) fn equal_groups(groups: u32, num_experts: usize) -> Result<(), SpecError> {
    let groups = groups as usize;
    let divides = groups > 0 && num_experts.is_multiple_of(groups);
    if divides { Ok(()) } else { Err(SpecError::UnevenGroups { groups, num_experts }) }
}

/// Is a number above 0? `what` begins the sentence of the error: "The temperature".
pub(crate) fn positive(what: &'static str, found: f32, allowed: &'static str) -> Result<(), SpecError> {
    if found.is_finite() && found > 0.0 { Ok(()) } else { Err(SpecError::Number { what, found, allowed }) }
}

/// Is a number from 0 to 1?
pub(crate) fn fraction(what: &'static str, found: f32) -> Result<(), SpecError> {
    let allowed = "a number from 0 to 1";
    if (0.0..=1.0).contains(&found) { Ok(()) } else { Err(SpecError::Number { what, found, allowed }) }
}
