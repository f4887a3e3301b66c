//! What a router decided: every request of every token, and what became of it.

use serde::{Deserialize, Serialize};

use crate::ids::ExpertIdx;

/// All decisions of one layer in one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Routing {
    pub num_tokens: u32,
    pub num_experts: u32,
    /// Slots per expert for this group of tokens; `None` where nobody is ever turned away (dropless).
    pub capacity: Option<u32>,
    /// One record per request, ordered by token, then rank.
    pub assignments: Vec<Assignment>,
}

/// One request of a token to an expert.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
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

/// What became of a request. In JSON the tag `fate` stands beside the assignment's fields, with `slot` where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
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
