//! Everything a router may see: gate logits, and for some rules draws, ids, a bias or what else their gate has learned.
//!
//! This is the rim. [`RouterInput::check`] finds what is not finite or of another shape, and says so; behind it rules
//! rely on it. What is left out has a stated meaning, never a hidden one.

mod error;

use std::collections::BTreeMap;

use moe_trace::{GateLogits, TokenId};

pub use error::InputError;
use error::length;
pub(crate) use error::{number, positive, shape};

/// Everything a router may see. Make it with [`RouterInput::new`] and the `with_…` methods: rules to come may see more.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct RouterInput<'a> {
    /// What the gate said, `[tokens, experts]`. Its tokens are one group: they share capacity.
    pub gate_logits: &'a GateLogits,
    /// `[tokens]`: one uniform draw in [0, 1) per token, for rules that use chance. Missing draws count as 0: a second
    /// expert that chance decides about is then always asked.
    pub uniforms: &'a [f32],
    /// `[tokens, experts]`: one Gumbel draw per token and expert, for rules that sample experts. Missing draws count as
    /// 0: the best experts are then taken.
    pub gumbels: &'a [f32],
    /// `[tokens, experts]`: one normal draw per token and expert, for noisy gates. Missing draws count as 0: no noise.
    pub normals: &'a [f32],
    /// `[tokens, experts]`: lots in [0, 1) for slots that are given out by chance; a shuffled order of tokens uses the
    /// first of each row. Missing lots count as 0: slots then go by position.
    pub lots: &'a [f32],
    /// `[tokens, experts]`: learned deviations of the noise, not negative; or empty for those of the spec.
    pub noise_std: &'a [f32],
    /// `[tokens]`: the ids that went into the model, for hash routing. A missing id counts as 0.
    pub token_ids: &'a [TokenId],
    /// `[vocabulary]`: how often each id occurs in the training text, for balanced hashing. Ids beyond it go to expert
    /// `id mod E`.
    pub token_frequencies: &'a [f64],
    /// `[tokens]`: which sequence each token is of, any numbers; or empty where all are of one.
    pub sequence_ids: &'a [u32],
    /// `[experts]`: added to sigmoid scores when experts are selected, as loss-free balancing learns it; or empty.
    pub bias: &'a [f32],
    /// `[experts]`: learned thresholds of top-any gating; or empty for that of the spec.
    pub thresholds: &'a [f32],
    /// `[tokens, groups]`: what a first gate over groups of experts said; or `None` for the mean logit of each group.
    pub group_logits: Option<&'a GateLogits>,
    /// `[tokens]`: which tokens only fill up a batch; or empty for none. They ask nobody and are in no statistics.
    pub is_padding: &'a [bool],
}

impl<'a> RouterInput<'a> {
    /// The gate logits of one group of tokens, and nothing else.
    pub fn new(gate_logits: &'a GateLogits) -> RouterInput<'a> {
        RouterInput {
            gate_logits,
            uniforms: &[],
            gumbels: &[],
            normals: &[],
            lots: &[],
            noise_std: &[],
            token_ids: &[],
            token_frequencies: &[],
            sequence_ids: &[],
            bias: &[],
            thresholds: &[],
            group_logits: None,
            is_padding: &[],
        }
    }

    /// The same with one uniform draw in [0, 1) per token, `[tokens]`.
    pub fn with_uniforms(self, uniforms: &'a [f32]) -> RouterInput<'a> {
        RouterInput { uniforms, ..self }
    }

    /// The same with one Gumbel draw per token and expert, `[tokens, experts]`.
    pub fn with_gumbels(self, gumbels: &'a [f32]) -> RouterInput<'a> {
        RouterInput { gumbels, ..self }
    }

    /// The same with one normal draw per token and expert, `[tokens, experts]`.
    pub fn with_normals(self, normals: &'a [f32]) -> RouterInput<'a> {
        RouterInput { normals, ..self }
    }

    /// The same with one lot in [0, 1) per token and expert, `[tokens, experts]`.
    pub fn with_lots(self, lots: &'a [f32]) -> RouterInput<'a> {
        RouterInput { lots, ..self }
    }

    /// The same with learned deviations of the noise, `[tokens, experts]`.
    pub fn with_noise_std(self, noise_std: &'a [f32]) -> RouterInput<'a> {
        RouterInput { noise_std, ..self }
    }

    /// The same with the tokens' ids, `[tokens]`.
    pub fn with_token_ids(self, token_ids: &'a [TokenId]) -> RouterInput<'a> {
        RouterInput { token_ids, ..self }
    }

    /// The same with the ids' frequencies in the training text, `[vocabulary]`.
    pub fn with_token_frequencies(self, token_frequencies: &'a [f64]) -> RouterInput<'a> {
        RouterInput { token_frequencies, ..self }
    }

    /// The same with each token's sequence, `[tokens]`.
    pub fn with_sequence_ids(self, sequence_ids: &'a [u32]) -> RouterInput<'a> {
        RouterInput { sequence_ids, ..self }
    }

    /// The same with a selection bias, `[experts]`.
    pub fn with_bias(self, bias: &'a [f32]) -> RouterInput<'a> {
        RouterInput { bias, ..self }
    }

    /// The same with learned thresholds, `[experts]`.
    pub fn with_thresholds(self, thresholds: &'a [f32]) -> RouterInput<'a> {
        RouterInput { thresholds, ..self }
    }

    /// The same with the logits of a gate over groups, `[tokens, groups]`.
    pub fn with_group_logits(self, group_logits: &'a GateLogits) -> RouterInput<'a> {
        RouterInput { group_logits: Some(group_logits), ..self }
    }

    /// The same with some tokens marked as padding, `[tokens]`.
    pub fn with_padding(self, is_padding: &'a [bool]) -> RouterInput<'a> {
        RouterInput { is_padding, ..self }
    }

    /// Is everything finite, within its range and of its shape? Draws may be fewer or more than are needed.
    pub fn check(&self) -> Result<(), InputError> {
        let (num_tokens, num_experts) = (self.gate_logits.num_tokens(), self.gate_logits.num_experts());
        let finite = |what: &'static str, values: &[f32]| number(what, values, f32::is_finite, "a finite number");
        finite("normal draw", self.normals)?;
        finite("Gumbel draw", self.gumbels)?;
        finite("bias", self.bias)?;
        finite("threshold", self.thresholds)?;
        number("uniform draw", self.uniforms, |u| (0.0..=1.0).contains(&u), "a number from 0 to 1")?;
        number("lot", self.lots, |u| (0.0..=1.0).contains(&u), "a number from 0 to 1")?;
        let not_negative = "a finite number from 0 on";
        number("deviation of the noise", self.noise_std, |x| x.is_finite() && x >= 0.0, not_negative)?;
        let frequency = |x: f64| x.is_finite() && x >= 0.0;
        if let Some(at) = self.token_frequencies.iter().position(|&x| !frequency(x)) {
            let found = self.token_frequencies[at] as f32;
            return Err(InputError::Number { what: "token frequency", at, found, allowed: not_negative });
        }
        length("deviations of the noise", self.noise_std.len(), num_tokens * num_experts)?;
        length("biases", self.bias.len(), num_experts)?;
        length("thresholds", self.thresholds.len(), num_experts)?;
        length("sequence ids", self.sequence_ids.len(), num_tokens)?;
        length("marks of padding", self.is_padding.len(), num_tokens)?;
        // A gate over groups that is there has a row for every token, also if it has none.
        let of_groups = self.group_logits.map_or(num_tokens, GateLogits::num_tokens);
        shape("rows of group logits", of_groups, num_tokens)
    }

    /// How many tokens are no padding.
    pub fn num_real_tokens(&self) -> usize {
        self.gate_logits.num_tokens() - self.is_padding.iter().filter(|is_padding| **is_padding).count()
    }

    /// Sequences counted from 0 in the order in which they begin, `[tokens]`, and their number.
    pub(crate) fn sequences(&self) -> (Vec<usize>, usize) {
        if self.sequence_ids.is_empty() {
            return (vec![0; self.gate_logits.num_tokens()], 1);
        }
        let mut known = BTreeMap::new();
        let of_tokens = self.sequence_ids.iter().map(|id| {
            let next = known.len();
            *known.entry(id).or_insert(next)
        });
        let of_tokens = of_tokens.collect();
        (of_tokens, known.len())
    }
}

/// The first `length` values; what is missing counts as `missing`.
pub(crate) fn whole<T: Copy>(values: &[T], length: usize, missing: T) -> Vec<T> {
    values.iter().copied().chain(std::iter::repeat(missing)).take(length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_named() {
        let gate_logits = GateLogits::new(2, vec![0.0; 4]).expect("two rows of two");
        let input = RouterInput::new(&gate_logits);
        let check = |input: RouterInput, message: &str| {
            assert_eq!(input.check().expect_err(message).to_string(), message);
        };
        let nan = f32::NAN;
        check(input.with_uniforms(&[0.5, nan]), "The uniform draw at index 1 is NaN; allowed: a number from 0 to 1.");
        check(input.with_normals(&[f32::INFINITY]), "The normal draw at index 0 is inf; allowed: a finite number.");
        check(
            input.with_gumbels(&[0.0, -f32::INFINITY]),
            "The Gumbel draw at index 1 is -inf; allowed: a finite number.",
        );
        check(input.with_lots(&[0.5, 1.5]), "The lot at index 1 is 1.5; allowed: a number from 0 to 1.");
        check(input.with_bias(&[0.0, nan]), "The bias at index 1 is NaN; allowed: a finite number.");
        check(input.with_bias(&[0.0]), "There are 1 biases; allowed: 2, or none.");
        check(input.with_thresholds(&[nan, 0.0]), "The threshold at index 0 is NaN; allowed: a finite number.");
        check(
            input.with_noise_std(&[1.0, -1.0, 0.0, 0.0]),
            "The deviation of the noise at index 1 is -1; allowed: a finite number from 0 on.",
        );
        check(
            input.with_token_frequencies(&[f64::NAN]),
            "The token frequency at index 0 is NaN; allowed: a finite number from 0 on.",
        );
        check(input.with_padding(&[true]), "There are 1 marks of padding; allowed: 2, or none.");
        check(input.with_sequence_ids(&[0, 0, 1]), "There are 3 sequence ids; allowed: 2, or none.");
        let groups = GateLogits::new(2, vec![0.0; 2]).expect("one row of two");
        check(input.with_group_logits(&groups), "There are 1 rows of group logits; allowed: 2.");
        let no_groups = GateLogits::new(2, Vec::new()).expect("no row");
        check(input.with_group_logits(&no_groups), "There are 0 rows of group logits; allowed: 2.");
        // Gate logits themselves are finite by their type.
        assert!(GateLogits::new(2, vec![0.0, nan]).is_err());
        assert_eq!(input.with_uniforms(&[0.0]).check(), Ok(()));
    }
}
