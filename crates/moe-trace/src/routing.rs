//! What a router decided: every request of every token, and what became of it.

use serde::{Deserialize, Serialize};

use crate::ids::ExpertIdx;
use crate::limits::{EXPERTS, TOKENS};

/// All decisions of one layer in one step.
///
/// Routers keep the records in order and name only tokens and experts that exist; files are checked for it, see
/// [`RoutingError`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "codegen", schemars(!try_from))]
#[serde(try_from = "RawRouting")]
pub struct Routing {
    pub num_tokens: u32,
    pub num_experts: u32,
    /// Slots per expert for this group of tokens; `None` where nobody is ever turned away (dropless).
    pub capacity: Option<u32>,
    /// One record per request, ordered by token, then rank.
    pub assignments: Vec<Assignment>,
}

/// Why records of a file are not a routing. Counts per token or expert would be out of bounds, or of absurd length.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RoutingError {
    #[error("it has {tokens} tokens and {experts} experts; the format allows at most {TOKENS} and {EXPERTS}")]
    Size { tokens: u32, experts: u32 },
    #[error("record {at} is of token {token}; there are {num_tokens}")]
    Token { at: usize, token: u32, num_tokens: u32 },
    #[error("record {at} is of expert {expert}; there are {num_experts}")]
    Expert { at: usize, expert: u32, num_experts: u32 },
    #[error("record {at} does not follow the one before: records are ordered by token, then rank")]
    Order { at: usize },
    #[error("the weights of record {at} are {weight} and {raw}, not finite numbers")]
    NotFinite { at: usize, weight: f32, raw: f32 },
}

#[derive(Deserialize)]
pub(crate) struct RawRouting {
    num_tokens: u32,
    num_experts: u32,
    capacity: Option<u32>,
    assignments: Vec<Assignment>,
}

impl TryFrom<RawRouting> for Routing {
    type Error = RoutingError;

    fn try_from(raw: RawRouting) -> Result<Routing, RoutingError> {
        let RawRouting { num_tokens, num_experts, capacity, assignments } = raw;
        if u64::from(num_tokens) > TOKENS || u64::from(num_experts) > EXPERTS {
            return Err(RoutingError::Size { tokens: num_tokens, experts: num_experts });
        }
        let mut last = None;
        for (at, assignment) in assignments.iter().enumerate() {
            let Assignment { token, rank, expert: ExpertIdx(expert), weight, weight_raw: raw, fate: _ } = *assignment;
            if token >= num_tokens {
                return Err(RoutingError::Token { at, token, num_tokens });
            }
            if expert >= num_experts {
                return Err(RoutingError::Expert { at, expert, num_experts });
            }
            if last >= Some((token, rank)) {
                return Err(RoutingError::Order { at });
            }
            if !(weight.is_finite() && raw.is_finite()) {
                return Err(RoutingError::NotFinite { at, weight, raw });
            }
            last = Some((token, rank));
        }
        Ok(Routing { num_tokens, num_experts, capacity, assignments })
    }
}

/// One request of a token to an expert.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "codegen", schemars(!try_from))]
#[serde(try_from = "RawAssignment")]
pub struct Assignment {
    /// Index of the token within the step.
    pub token: u32,
    /// 0 for the token's first choice, 1 for its second, …
    pub rank: u32,
    pub expert: ExpertIdx,
    /// What the expert's output is multiplied with when the request is kept. A lost request contributes exactly
    /// nothing, whatever its weight.
    pub weight: f32,
    /// The selection score before any normalisation (for softmax gates: the gate probability).
    pub weight_raw: f32,
    #[serde(flatten)]
    pub fate: Fate,
}

/// As JSON has it. Serde's own reading of a flattened tag stores every field first.
#[derive(Deserialize)]
struct RawAssignment {
    token: u32,
    rank: u32,
    expert: ExpertIdx,
    weight: f32,
    weight_raw: f32,
    fate: FateName,
    slot: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum FateName {
    Kept,
    Lost,
    Skipped,
    Padding,
    NullExpert,
    BelowThreshold,
    Rectified,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the request of token {token} at expert {expert} was kept, and has no slot")]
pub struct NoSlot {
    token: u32,
    expert: ExpertIdx,
}

impl TryFrom<RawAssignment> for Assignment {
    type Error = NoSlot;

    fn try_from(raw: RawAssignment) -> Result<Assignment, NoSlot> {
        let RawAssignment { token, rank, expert, weight, weight_raw, fate, slot } = raw;
        let fate = match fate {
            FateName::Kept => Fate::Kept { slot: slot.ok_or(NoSlot { token, expert })? },
            FateName::Lost => Fate::Lost,
            FateName::Skipped => Fate::Skipped,
            FateName::Padding => Fate::Padding,
            FateName::NullExpert => Fate::NullExpert,
            FateName::BelowThreshold => Fate::BelowThreshold,
            FateName::Rectified => Fate::Rectified,
        };
        Ok(Assignment { token, rank, expert, weight, weight_raw, fate })
    }
}

/// What became of a request. In JSON the tag `fate` stands beside the assignment's fields, with `slot` where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum Fate {
    /// Served; `slot` is its place in the expert's buffer, from 0.
    Kept { slot: u32 },
    /// Turned away: the expert was full.
    Lost,
    /// Withdrawn before dispatch: a second expert that chance or a threshold left out. Takes no slot, counts in no demand.
    Skipped,
    /// A padding token: never dispatched.
    Padding,
    /// The chosen expert computes nothing by design (AdaMoE).
    NullExpert,
    /// The gate's weight was below the rule's threshold (dense-to-sparse gates).
    BelowThreshold,
    /// The request was moved to another expert; the new request is a record of its own (Rectify-Router).
    Rectified,
}

impl Fate {
    pub fn is_kept(self) -> bool {
        matches!(self, Fate::Kept { .. })
    }

    pub fn slot(self) -> Option<u32> {
        match self {
            Fate::Kept { slot } => Some(slot),
            _ => None,
        }
    }

    /// Did the request reach the expert's door, to be let in or turned away?
    pub fn is_demand(self) -> bool {
        matches!(self, Fate::Kept { .. } | Fate::Lost)
    }
}

impl Routing {
    /// The requests of one token, by rank.
    pub fn of_token(&self, token: u32) -> &[Assignment] {
        let start = self.assignments.partition_point(|a| a.token < token);
        let end = self.assignments.partition_point(|a| a.token <= token);
        &self.assignments[start..end]
    }

    /// Did this token ask for experts and find every door closed? Only the residual passes then.
    pub fn is_dropped(&self, token: u32) -> bool {
        let mut asked = false;
        for assignment in self.of_token(token) {
            asked |= assignment.fate.is_demand();
            if assignment.fate.is_kept() {
                return false;
            }
        }
        asked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(token: u32, rank: u32, expert: u32, fate: Fate) -> Assignment {
        Assignment { token, rank, expert: ExpertIdx(expert), weight: 0.5, weight_raw: 0.25, fate }
    }

    #[test]
    fn fate_and_slot_stand_beside_the_other_fields() {
        let json = serde_json::to_string(&request(3, 0, 1, Fate::Kept { slot: 2 })).expect("serialises");
        assert_eq!(json, r#"{"token":3,"rank":0,"expert":1,"weight":0.5,"weight_raw":0.25,"fate":"kept","slot":2}"#);
        let lost: Assignment =
            serde_json::from_str(r#"{"token":3,"rank":1,"expert":0,"weight":0.5,"weight_raw":0.25,"fate":"lost"}"#)
                .expect("parses");
        assert_eq!(lost.fate, Fate::Lost);
        let error = serde_json::from_str::<Assignment>(&json.replace(r#","slot":2"#, "")).expect_err("where?");
        assert!(error.to_string().starts_with("the request of token 3 at expert 1 was kept, and has no slot"));
    }

    #[test]
    fn what_a_file_says_is_checked() {
        let routing = Routing {
            num_tokens: 2,
            num_experts: 2,
            capacity: Some(1),
            assignments: vec![request(0, 0, 1, Fate::Kept { slot: 0 }), request(1, 0, 1, Fate::Lost)],
        };
        let json = serde_json::to_string(&routing).expect("serialises");
        assert_eq!(serde_json::from_str::<Routing>(&json).expect("parses"), routing);
        let check = |change: (&str, &str), message: &str| {
            let hostile = json.replacen(change.0, change.1, 1);
            assert_ne!(hostile, json, "nothing to change: {change:?}");
            let error = serde_json::from_str::<Routing>(&hostile).expect_err(message).to_string();
            assert!(error.starts_with(message), "{error}");
        };
        check((r#""expert":1"#, r#""expert":2"#), "record 0 is of expert 2; there are 2");
        check((r#""token":1"#, r#""token":4294967295"#), "record 1 is of token 4294967295; there are 2");
        check((r#""token":0"#, r#""token":1"#), "record 1 does not follow the one before");
        check((r#""token":1"#, r#""token":0"#), "record 1 does not follow the one before");
        check((r#""weight":0.5"#, r#""weight":1e300"#), "the weights of record 0 are inf and 0.25");
        let too_many = "it has 2 tokens and 4294967295 experts; the format allows at most 65536 and 4096";
        check((r#""num_experts":2"#, r#""num_experts":4294967295"#), too_many);
    }

    #[test]
    fn losing_one_expert_is_not_being_dropped() {
        let routing = Routing {
            num_tokens: 3,
            num_experts: 2,
            capacity: Some(1),
            assignments: vec![
                request(0, 0, 0, Fate::Kept { slot: 0 }),
                request(0, 1, 1, Fate::Kept { slot: 0 }),
                request(1, 0, 0, Fate::Lost),
                request(1, 1, 1, Fate::Lost),
                request(2, 0, 0, Fate::Lost),
                request(2, 1, 1, Fate::Skipped),
            ],
        };
        let dropped: Vec<bool> = (0..3).map(|token| routing.is_dropped(token)).collect();
        assert_eq!(dropped, [false, true, true]);
        assert_eq!(routing.of_token(1).len(), 2);
    }
}
