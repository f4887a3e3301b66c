//! A number for every token and expert that another program wrote down: probabilities after the softmax or sigmoid, or
//! the scores that its rule chose by.

use serde::{Deserialize, Serialize};

/// `[rows, experts]`, row-major. `None` where the number is not recorded or the rule had ruled the expert out (a masked
/// group: −∞).
///
/// The constructor is the only place where the shape can be wrong; deserialising goes through it too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "codegen", schemars(!try_from))]
#[serde(try_from = "RawScores")]
pub struct Scores {
    num_experts: u32,
    values: Vec<Option<f32>>,
}

/// Why numbers are not a matrix of scores.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ScoresError {
    #[error("{len} scores do not divide into rows of {num_experts} experts")]
    Ragged { len: usize, num_experts: u32 },
    #[error("the score of row {row} for expert {expert} is {value}, not a finite number")]
    NotFinite { row: usize, expert: usize, value: f32 },
}

#[derive(Deserialize)]
pub(crate) struct RawScores {
    num_experts: u32,
    values: Vec<Option<f32>>,
}

impl TryFrom<RawScores> for Scores {
    type Error = ScoresError;

    fn try_from(raw: RawScores) -> Result<Scores, ScoresError> {
        Scores::new(raw.num_experts, raw.values)
    }
}

impl Scores {
    /// `values`: `[rows, experts]`, row-major, finite where there are any.
    pub fn new(num_experts: u32, values: Vec<Option<f32>>) -> Result<Scores, ScoresError> {
        let width = num_experts as usize;
        if width == 0 || !values.len().is_multiple_of(width) {
            return Err(ScoresError::Ragged { len: values.len(), num_experts });
        }
        for (at, value) in values.iter().enumerate().filter_map(|(at, value)| Some((at, (*value)?))) {
            if !value.is_finite() {
                return Err(ScoresError::NotFinite { row: at / width, expert: at % width, value });
            }
        }
        Ok(Scores { num_experts, values })
    }

    pub fn num_experts(&self) -> usize {
        self.num_experts as usize
    }

    pub fn num_rows(&self) -> usize {
        self.values.len() / self.num_experts()
    }

    /// The scores of one row, `[experts]`.
    pub fn row(&self, row: usize) -> &[Option<f32>] {
        &self.values[row * self.num_experts()..(row + 1) * self.num_experts()]
    }

    /// All scores, `[rows, experts]`, row-major.
    pub fn values(&self) -> &[Option<f32>] {
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_expert_has_no_score() {
        let scores = Scores::new(2, vec![Some(0.25), None, Some(0.5), Some(0.5)]).expect("two rows of two");
        assert_eq!((scores.num_rows(), scores.row(0)), (2, &[Some(0.25), None][..]));
        let json = serde_json::to_string(&scores).expect("serialises");
        assert_eq!(json, r#"{"num_experts":2,"values":[0.25,null,0.5,0.5]}"#);
        assert_eq!(serde_json::from_str::<Scores>(&json).expect("parses"), scores);
    }

    #[test]
    fn wrong_shapes_are_named() {
        let check = |num_experts, values: &[f32], message: &str| {
            let values = values.iter().copied().map(Some).collect();
            assert_eq!(Scores::new(num_experts, values).expect_err(message).to_string(), message);
        };
        check(0, &[], "0 scores do not divide into rows of 0 experts");
        check(2, &[1.0], "1 scores do not divide into rows of 2 experts");
        let message = "the score of row 0 for expert 1 is inf, not a finite number";
        check(2, &[1.0, f32::INFINITY], message);
    }
}
