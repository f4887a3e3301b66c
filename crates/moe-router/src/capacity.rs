//! Expert capacity: how many slots an expert has for one group of tokens.
//!
//! Adopted: `C = min(T, max(minimum, ceil(cf · K · T / E)))`. The product is taken in f64 and 1e-9 is subtracted before
//! rounding up, so that 1.1 · 10 (11.000000000000002 in f64) does not become 12. More than `T` slots are pointless:
//! a token asks an expert at most once.
//! Sources disagree on rounding, and on whether `K` counts; the other variants of [`Rounding`] reproduce theirs (with
//! our `minimum`, but without the cap at `T` where the source has none).
//!
//! Left out are three ways to say "dropless" with a number, for which there is `Overflow::Dropless`: Tutel's factor 0 (no
//! limit) and its factors below 0 (no limit up to the capacity of the factor's absolute value, which has no counterpart
//! here), and MegaBlocks' result of 0 slots (the largest demand). A factor of 0 or less is an error of
//! [`Router::new`](crate::Router::new), whatever the rounding; 0 slots are what they say, and everybody is turned away,
//! unless the `minimum` is 1 or more, as it is by default.
//!
//! Six tokens with two choices each, four experts, factor 1.25: 1.25 · 2 · 6 / 4 = 3.75, and everyone rounds that in
//! another way. mesh-TensorFlow leaves out the two choices: 1.25 · 6 / 4 = 1.875, rounded down.
//!
//! ```
//! use moe_router::capacity::capacity;
//! use moe_trace::{CapacitySpec, Rounding};
//!
//! let slots = |rounding| capacity(&CapacitySpec { factor: 1.25, rounding, ..CapacitySpec::default() }, 6, 2, 4);
//! assert_eq!(slots(Rounding::Ceil), 4); // adopted
//! assert_eq!(slots(Rounding::Floor), 3);
//! assert_eq!(slots(Rounding::Mesh), 1);
//! assert_eq!(slots(Rounding::Vmoe), 4);
//! ```

use std::cmp::Ordering;

use moe_trace::{CapacitySpec, Rounding};

use crate::decimal::share;
use crate::limits;
use crate::spec_error::SpecError;

/// A capacity and how it came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByFormula {
    /// Slots per expert.
    pub slots: u32,
    /// What the rounded formula gives by itself.
    pub plain: u32,
    /// What held it up or down.
    pub held_by: HeldBy,
}

/// What holds a capacity where the formula gives another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldBy {
    /// Nothing: it is what the formula gives.
    Nothing,
    /// The spec's minimum: the formula gives less.
    Minimum,
    /// The number of tokens: more slots would be pointless.
    Tokens,
}

/// Slots per expert for `num_tokens` tokens with `k` choices each among `num_experts` experts.
pub fn capacity(spec: &CapacitySpec, num_tokens: usize, k: usize, num_experts: usize) -> u32 {
    by_formula(spec, num_tokens, k, num_experts).slots
}

/// The same with its parts, for showing the formula.
///
/// ```
/// use moe_router::capacity::{ByFormula, HeldBy, by_formula};
/// use moe_trace::CapacitySpec;
///
/// let of = |factor, num_tokens| by_formula(&CapacitySpec { factor, ..CapacitySpec::default() }, num_tokens, 2, 8);
/// // 1.2 · 2 · 90 / 8 is 27 as it is written, though the f32 next to 1.2 makes a little more of it.
/// assert_eq!(of(1.2, 90), ByFormula { slots: 27, plain: 27, held_by: HeldBy::Nothing });
/// assert_eq!(of(8.0, 1), ByFormula { slots: 1, plain: 2, held_by: HeldBy::Tokens });
/// assert_eq!(of(1.0, 0).held_by, HeldBy::Nothing); // no tokens, no slots
/// ```
pub fn by_formula(spec: &CapacitySpec, num_tokens: usize, k: usize, num_experts: usize) -> ByFormula {
    let fair_share = share(spec.factor, k * num_tokens, num_experts);
    // What sources compute that do not count `K`.
    let share_of_one = share(spec.factor, num_tokens, num_experts);
    let tokens_per_expert = num_tokens.div_ceil(num_experts);
    // Float to integer casts saturate, so a monstrous factor is merely "as many as fit".
    let plain = match spec.rounding {
        Rounding::Ceil => (fair_share - 1e-9).ceil() as u32,
        Rounding::Floor => (fair_share + 1e-9).floor() as u32,
        Rounding::Round => fair_share.round_ties_even() as u32,
        Rounding::Mesh => share_of_one.floor() as u32,
        Rounding::Tutel => (k as u32).saturating_mul(share(spec.factor, tokens_per_expert, 1).floor() as u32),
        Rounding::Fairseq => (k * tokens_per_expert) as u32,
        Rounding::FairseqEval => num_tokens.div_ceil(4) as u32,
        Rounding::Flaxformer => share_of_one.round_ties_even() as u32,
        Rounding::Vmoe => ((fair_share - 1e-9).ceil() as u32).checked_next_multiple_of(4).unwrap_or(u32::MAX),
    };
    let num_tokens = num_tokens as u32;
    // The adopted formula holds the minimum down as well, mesh-TensorFlow's only itself.
    let slots = match spec.rounding {
        Rounding::Ceil => plain.max(spec.minimum).min(num_tokens),
        Rounding::Mesh => plain.min(num_tokens).max(spec.minimum),
        _ => plain.max(spec.minimum),
    };
    let held_by = match slots.cmp(&plain) {
        Ordering::Equal => HeldBy::Nothing,
        Ordering::Greater => HeldBy::Minimum,
        Ordering::Less => HeldBy::Tokens,
    };
    ByFormula { slots, plain, held_by }
}

/// Can slots be given out by this spec?
pub(crate) fn check(spec: &CapacitySpec) -> Result<(), SpecError> {
    limits::positive("The capacity factor", spec.factor, "a finite number above 0, such as 1.25")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(num_tokens: usize, num_experts: usize, k: usize, factor: f32, expected: [u32; 6]) {
        use Rounding::*;
        for (rounding, expected) in [Ceil, Floor, Round, Mesh, Tutel, Fairseq].into_iter().zip(expected) {
            let spec = CapacitySpec { factor, rounding, minimum: 0, ..CapacitySpec::default() };
            let slots = capacity(&spec, num_tokens, k, num_experts);
            assert_eq!(slots, expected, "{rounding:?} of {factor} * {k} * {num_tokens} / {num_experts}");
        }
    }

    #[test]
    fn table_of_roundings() {
        //    T    E  K   cf      ceil floor round mesh tutel fairseq
        check(6, 4, 1, 1.0, [2, 1, 2, 1, 2, 2]);
        check(6, 4, 1, 1.25, [2, 1, 2, 1, 2, 2]);
        check(6, 4, 2, 1.0, [3, 3, 3, 1, 4, 4]);
        check(6, 4, 2, 1.25, [4, 3, 4, 1, 4, 4]);
        check(10, 4, 1, 1.0, [3, 2, 2, 2, 3, 3]);
        check(10, 4, 2, 1.25, [7, 6, 6, 3, 6, 6]);
        check(1, 8, 2, 1.25, [1, 0, 0, 0, 2, 2]);
        check(1024, 64, 2, 1.25, [40, 40, 40, 20, 40, 32]);
        // The factor means what it says: 1.1 · 10 is 11 (and 1.1 rounded down per expert is 1 · 10).
        check(10, 1, 1, 1.1, [10, 11, 11, 10, 11, 10]);
        check(100, 10, 1, 1.1, [11, 11, 11, 11, 11, 10]);
        // Also where it has more digits than an f32 can keep: a third of 12 tokens among 4 experts is one slot each.
        check(12, 4, 1, 1.0 / 3.0, [1, 1, 1, 1, 1, 3]);
        check(15, 1, 1, 1.0 / 6.0, [3, 2, 2, 2, 2, 15]);
        // No tokens, no slots.
        check(0, 4, 2, 1.25, [0; 6]);
    }

    #[test]
    fn further_roundings() {
        let check = |num_tokens, rounding, expected| {
            let spec = CapacitySpec { factor: 1.25, rounding, minimum: 0, ..CapacitySpec::default() };
            assert_eq!(capacity(&spec, num_tokens, 2, 4), expected, "{rounding:?} of {num_tokens}");
        };
        // 1.25 · 2 · 10 / 4 = 6.25 with the two choices, 3.125 without.
        check(10, Rounding::FairseqEval, 3);
        check(10, Rounding::Flaxformer, 3);
        check(10, Rounding::Vmoe, 8);
        check(8, Rounding::FairseqEval, 2);
        // 1.25 · 8 / 4 = 2.5 goes to the even 2; 5 slots become 8.
        check(8, Rounding::Flaxformer, 2);
        check(8, Rounding::Vmoe, 8);
        check(0, Rounding::Vmoe, 0);
    }

    #[test]
    fn at_least_the_minimum_and_at_most_one_slot_per_token() {
        let check = |minimum: u32, factor: f32, num_tokens: usize, expected: u32| {
            let spec = CapacitySpec { factor, minimum, ..CapacitySpec::default() };
            assert_eq!(capacity(&spec, num_tokens, 2, 4), expected);
        };
        check(4, 0.1, 16, 4);
        check(4, 0.1, 3, 3);
        check(1, 3.0e38, 16, 16);
        check(0, 1.0e-30, 16, 0);
    }
}
