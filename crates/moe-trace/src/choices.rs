//! What is known of decisions that another program took: which experts each token asked, and little else. Nobody wrote
//! down who was turned away, so there are no fates and slots here; a router of ours gives a whole [`Routing`].
//!
//! [`Routing`]: crate::Routing

use serde::{Deserialize, Serialize};

use crate::ids::ExpertIdx;
use crate::limits::EXPERTS;

/// The experts that the rows of a layer asked, as a table with `top_k` columns.
///
/// The constructors are the only places where a table can be wrong; deserialising goes through them too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "codegen", schemars(!try_from))]
#[serde(try_from = "RawChoices")]
pub struct Choices {
    /// Experts of the layer; where the source does not say, the highest id it names and one.
    num_experts: u32,
    top_k: u32,
    /// `[rows, top_k]`, row-major. −1: not recorded, or this row has fewer experts; a whole row of −1 is an unknown
    /// decision.
    expert_ids: Vec<i32>,
    /// `[rows, top_k]`, as the source has them (see `weight_kind` in the header); absent where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "codegen", ts(optional))]
    weights: Option<Vec<Option<f32>>>,
    /// `[rows, top_k]`: was the request served, or turned away? Absent where nobody wrote it down.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "codegen", ts(optional))]
    served: Option<Vec<Option<bool>>>,
}

/// One request of a row, with what is known of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    pub row: usize,
    /// The column it stands in. Whether that is the order of preference, the header's `rank_order` says.
    pub column: usize,
    pub expert: ExpertIdx,
    pub weight: Option<f32>,
    pub served: Option<bool>,
}

/// Why a table is not one of choices.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ChoicesError {
    #[error("{len} expert ids do not divide into rows of {top_k}")]
    Ragged { len: usize, top_k: u32 },
    #[error("it has {top_k} columns and {num_experts} experts; the format allows at most {EXPERTS} of each")]
    Size { top_k: u32, num_experts: u32 },
    #[error("row {row} names expert {expert}; there are {num_experts}, and -1 stands for none")]
    Expert { row: usize, expert: i32, num_experts: u32 },
    #[error("row {row} names expert {expert} twice")]
    Twice { row: usize, expert: i32 },
    #[error("there are {found} {column} for {expected} expert ids")]
    Length { column: &'static str, found: usize, expected: usize },
    #[error("a weight of row {row} is {weight}, not a finite number")]
    NotFinite { row: usize, weight: f32 },
}

#[derive(Deserialize)]
pub(crate) struct RawChoices {
    num_experts: u32,
    top_k: u32,
    expert_ids: Vec<i32>,
    weights: Option<Vec<Option<f32>>>,
    served: Option<Vec<Option<bool>>>,
}

impl TryFrom<RawChoices> for Choices {
    type Error = ChoicesError;

    fn try_from(raw: RawChoices) -> Result<Choices, ChoicesError> {
        let mut choices = Choices::new(raw.num_experts, raw.top_k, raw.expert_ids)?;
        if let Some(weights) = raw.weights {
            choices = choices.with_weights(weights)?;
        }
        match raw.served {
            Some(served) => choices.with_served(served),
            None => Ok(choices),
        }
    }
}

impl Choices {
    /// `expert_ids`: `[rows, top_k]`, row-major, each an expert or −1, none twice in a row.
    pub fn new(num_experts: u32, top_k: u32, expert_ids: Vec<i32>) -> Result<Choices, ChoicesError> {
        let width = top_k as usize;
        if u64::from(top_k) > EXPERTS || u64::from(num_experts) > EXPERTS {
            return Err(ChoicesError::Size { top_k, num_experts });
        }
        if width == 0 || !expert_ids.len().is_multiple_of(width) {
            return Err(ChoicesError::Ragged { len: expert_ids.len(), top_k });
        }
        for (row, ids) in expert_ids.chunks_exact(width).enumerate() {
            for (column, &expert) in ids.iter().enumerate().filter(|(_, expert)| **expert != -1) {
                if u32::try_from(expert).is_ok_and(|expert| expert < num_experts) {
                    if ids[..column].contains(&expert) {
                        return Err(ChoicesError::Twice { row, expert });
                    }
                } else {
                    return Err(ChoicesError::Expert { row, expert, num_experts });
                }
            }
        }
        Ok(Choices { num_experts, top_k, expert_ids, weights: None, served: None })
    }

    /// `weights`: `[rows, top_k]`, finite where there are any. An expert may be unknown and its weight not.
    pub fn with_weights(self, weights: Vec<Option<f32>>) -> Result<Choices, ChoicesError> {
        self.has_length_of("weights", weights.len())?;
        let is_wrong = |weight: &Option<f32>| weight.is_some_and(|weight| !weight.is_finite());
        if let Some(at) = weights.iter().position(is_wrong) {
            let (row, weight) = (at / self.top_k as usize, weights[at].unwrap_or_default());
            return Err(ChoicesError::NotFinite { row, weight });
        }
        Ok(Choices { weights: Some(weights), ..self })
    }

    /// `served`: `[rows, top_k]`.
    pub fn with_served(self, served: Vec<Option<bool>>) -> Result<Choices, ChoicesError> {
        self.has_length_of("marks of served requests", served.len())?;
        Ok(Choices { served: Some(served), ..self })
    }

    fn has_length_of(&self, column: &'static str, found: usize) -> Result<(), ChoicesError> {
        let expected = self.expert_ids.len();
        if found == expected { Ok(()) } else { Err(ChoicesError::Length { column, found, expected }) }
    }

    pub fn num_experts(&self) -> usize {
        self.num_experts as usize
    }

    pub fn top_k(&self) -> usize {
        self.top_k as usize
    }

    pub fn num_rows(&self) -> usize {
        self.expert_ids.len() / self.top_k()
    }

    /// `[rows, top_k]`, row-major; −1 for none.
    pub fn expert_ids(&self) -> &[i32] {
        &self.expert_ids
    }

    /// `[rows, top_k]`, row-major.
    pub fn weights(&self) -> Option<&[Option<f32>]> {
        self.weights.as_deref()
    }

    /// `[rows, top_k]`, row-major.
    pub fn served(&self) -> Option<&[Option<bool>]> {
        self.served.as_deref()
    }

    /// A table of the same kind with other whole rows of checked cells.
    pub(crate) fn with_cells(
        &self,
        expert_ids: Vec<i32>,
        weights: Option<Vec<Option<f32>>>,
        served: Option<Vec<Option<bool>>>,
    ) -> Choices {
        Choices { num_experts: self.num_experts, top_k: self.top_k, expert_ids, weights, served }
    }

    /// The requests whose expert is known, row after row.
    pub fn requests(&self) -> impl Iterator<Item = Choice> + '_ {
        self.expert_ids.iter().enumerate().filter(|(_, expert)| **expert >= 0).map(|(at, &expert)| Choice {
            row: at / self.top_k(),
            column: at % self.top_k(),
            expert: ExpertIdx(expert as u32),
            weight: self.weights.as_ref().and_then(|weights| weights[at]),
            served: self.served.as_ref().and_then(|served| served[at]),
        })
    }
}

/// How often each expert was asked, where nobody wrote down by which token: a load record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "codegen", schemars(!try_from))]
#[serde(try_from = "RawExpertLoad")]
pub struct ExpertLoad {
    /// `[experts]`: requests, at least 0. Some sources let them decay, so they may be fractions.
    requests: Vec<f64>,
}

/// Why numbers are no load.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("expert {expert} was asked {requests} times; a count is finite and at least 0")]
pub struct LoadError {
    pub expert: usize,
    pub requests: f64,
}

#[derive(Deserialize)]
pub(crate) struct RawExpertLoad {
    requests: Vec<f64>,
}

impl TryFrom<RawExpertLoad> for ExpertLoad {
    type Error = LoadError;

    fn try_from(raw: RawExpertLoad) -> Result<ExpertLoad, LoadError> {
        ExpertLoad::new(raw.requests)
    }
}

impl ExpertLoad {
    pub fn new(requests: Vec<f64>) -> Result<ExpertLoad, LoadError> {
        match requests.iter().position(|count| !(count.is_finite() && *count >= 0.0)) {
            Some(expert) => Err(LoadError { expert, requests: requests[expert] }),
            None => Ok(ExpertLoad { requests }),
        }
    }

    /// `[experts]`.
    pub fn requests(&self) -> &[f64] {
        &self.requests
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_recorded_is_no_request() {
        let choices = Choices::new(8, 2, vec![7, 6, 3, -1, -1, -1]).expect("three rows");
        let choices = choices.with_weights(vec![Some(0.75), Some(0.25), None, None, None, None]).expect("as many");
        assert_eq!((choices.num_rows(), choices.top_k(), choices.num_experts()), (3, 2, 8));
        let requests: Vec<_> = choices.requests().map(|choice| (choice.row, choice.expert.0, choice.weight)).collect();
        assert_eq!(requests, [(0, 7, Some(0.75)), (0, 6, Some(0.25)), (1, 3, None)]);
        let json = serde_json::to_string(&choices).expect("serialises");
        let expected = concat!(
            r#"{"num_experts":8,"top_k":2,"expert_ids":[7,6,3,-1,-1,-1],"#,
            r#""weights":[0.75,0.25,null,null,null,null]}"#
        );
        assert_eq!(json, expected, "who was served is absent, not false");
        assert_eq!(serde_json::from_str::<Choices>(&json).expect("parses"), choices);
    }

    #[test]
    fn what_a_file_says_is_checked() {
        let check = |json: &str, message: &str| {
            let error = serde_json::from_str::<Choices>(json).expect_err(message).to_string();
            assert!(error.starts_with(message), "{error}");
        };
        check(r#"{"num_experts":8,"top_k":2,"expert_ids":[1,2,3]}"#, "3 expert ids do not divide into rows of 2");
        check(r#"{"num_experts":8,"top_k":0,"expert_ids":[]}"#, "0 expert ids do not divide into rows of 0");
        check(r#"{"num_experts":8,"top_k":1,"expert_ids":[0,8]}"#, "row 1 names expert 8; there are 8");
        check(r#"{"num_experts":8,"top_k":1,"expert_ids":[-2]}"#, "row 0 names expert -2");
        check(r#"{"num_experts":8,"top_k":2,"expert_ids":[0,0]}"#, "row 0 names expert 0 twice");
        let short = r#"{"num_experts":8,"top_k":2,"expert_ids":[0,1],"weights":[1]}"#;
        check(short, "there are 1 weights for 2 expert ids");
        let infinite = r#"{"num_experts":8,"top_k":2,"expert_ids":[0,1],"weights":[null,1e300]}"#;
        check(infinite, "a weight of row 0 is inf");
    }

    #[test]
    fn a_load_counts() {
        assert_eq!(ExpertLoad::new(vec![3.0, 0.5]).expect("counts").requests(), [3.0, 0.5]);
        let error = ExpertLoad::new(vec![3.0, -1.0]).expect_err("less than nothing");
        assert_eq!(error.to_string(), "expert 1 was asked -1 times; a count is finite and at least 0");
    }
}
