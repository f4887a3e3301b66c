//! What the gate said: one row of logits per token, one column per expert.

use serde::{Deserialize, Serialize};

/// Gate logits of one layer, `[tokens, experts]`, row-major, before any softmax.
///
/// The constructor is the only place where the shape can be wrong; deserialising goes through it too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "codegen", schemars(!try_from))]
#[serde(try_from = "RawGateLogits")]
pub struct GateLogits {
    num_experts: u32,
    values: Vec<f32>,
}

/// Why a flat vector is not a matrix of gate logits.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ShapeError {
    #[error("a layer needs at least one expert")]
    NoExperts,
    #[error("{len} gate logits do not divide into rows of {num_experts} experts")]
    Ragged { len: usize, num_experts: usize },
    #[error("the gate logit of token {token} for expert {expert} is {value}, not a finite number")]
    NotFinite { token: usize, expert: usize, value: f32 },
}

#[derive(Deserialize)]
pub(crate) struct RawGateLogits {
    num_experts: u32,
    values: Vec<f32>,
}

impl TryFrom<RawGateLogits> for GateLogits {
    type Error = ShapeError;

    fn try_from(raw: RawGateLogits) -> Result<Self, ShapeError> {
        GateLogits::new(raw.num_experts as usize, raw.values)
    }
}

impl GateLogits {
    /// `values`: `[tokens, experts]`, row-major, all finite.
    pub fn new(num_experts: usize, values: Vec<f32>) -> Result<GateLogits, ShapeError> {
        if num_experts == 0 {
            return Err(ShapeError::NoExperts);
        }
        if !values.len().is_multiple_of(num_experts) {
            return Err(ShapeError::Ragged { len: values.len(), num_experts });
        }
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            let (token, expert) = (at / num_experts, at % num_experts);
            return Err(ShapeError::NotFinite { token, expert, value: values[at] });
        }
        Ok(GateLogits { num_experts: num_experts as u32, values })
    }

    pub fn num_experts(&self) -> usize {
        self.num_experts as usize
    }

    pub fn num_tokens(&self) -> usize {
        self.values.len() / self.num_experts()
    }

    /// The logits of one token, `[experts]`.
    pub fn row(&self, token: usize) -> &[f32] {
        let start = token * self.num_experts();
        &self.values[start..start + self.num_experts()]
    }

    /// Token after token, `[experts]` each.
    pub fn rows(&self) -> std::slice::ChunksExact<'_, f32> {
        self.values.chunks_exact(self.num_experts())
    }

    /// All values, `[tokens, experts]`, row-major.
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_tokens() {
        let logits = GateLogits::new(2, vec![1.0, 2.0, 3.0, 4.0]).expect("two rows of two");
        assert_eq!(logits.num_tokens(), 2);
        assert_eq!(logits.row(1), &[3.0, 4.0]);
    }

    #[test]
    fn wrong_shapes_are_named() {
        let check = |num_experts, values: &[f32], message: &str| {
            let error = GateLogits::new(num_experts, values.to_vec()).expect_err("a wrong shape");
            assert_eq!(error.to_string(), message);
        };
        check(0, &[], "a layer needs at least one expert");
        check(2, &[1.0, 2.0, 3.0], "3 gate logits do not divide into rows of 2 experts");
        check(2, &[1.0, 2.0, f32::NAN, 0.0], "the gate logit of token 1 for expert 0 is NaN, not a finite number");
    }
}
