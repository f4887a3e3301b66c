//! What a rule asks for, before anyone is let in.

use moe_trace::{Assignment, ExpertIdx, Fate};

/// One wish of a token: "this expert, with this weight". `dispatch` turns it into an `Assignment`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Request {
    /// Index of the token within the group.
    pub token: u32,
    /// 0 for the token's first choice, 1 for its second, …
    pub rank: u32,
    /// The expert asked.
    pub expert: ExpertIdx,
    /// What the expert's output is multiplied with if the request is granted.
    pub weight: f32,
    /// The selection score before any normalisation (for softmax gates: the gate probability).
    pub weight_raw: f32,
    /// Why the rule itself takes the request back before the door: such a request needs no slot and counts in no
    /// demand. `None` for a request that is really made.
    pub withdrawn: Option<Fate>,
}

impl Request {
    /// A request that is really made.
    pub fn new(token: usize, rank: usize, expert: usize, weight: f64, weight_raw: f64) -> Request {
        Request {
            token: token as u32,
            rank: rank as u32,
            expert: ExpertIdx(expert as u32),
            weight: weight as f32,
            weight_raw: weight_raw as f32,
            withdrawn: None,
        }
    }

    /// The request together with what became of it.
    pub(crate) fn met(&self, fate: Fate) -> Assignment {
        let Request { token, rank, expert, weight, weight_raw, withdrawn: _ } = *self;
        Assignment { token, rank, expert, weight, weight_raw, fate }
    }
}
