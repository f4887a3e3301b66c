//! Capacity that remembers: what would have been dropped in training is dropped while generating.
//!
//! Generating with a cache routes one token at a time. A capacity for one token is one slot, so nothing is ever dropped,
//! although the same token might have been dropped when the whole text was routed at once: logits differ. This counts
//! on: slots are those of the longest text, and stay taken from step to step. Token-major and by position it repeats
//! exactly what routing the whole text decides, because that is causal.
//! Deviation: the capacity must be computed from a length fixed in advance, as training did.
//!
//! Three slots per expert for six tokens that come one at a time. Token 4 finds experts 0 and 1 full, as it would have in
//! training; with a capacity of its own it would not.
//!
//! ```
//! use moe_router::{example, overflow::stateful::TakenSlots, token_choice::top_k};
//!
//! let requests = top_k::requests(&example::gate_logits(), 2, moe_trace::Weighting::Norm);
//! let mut slots = TakenSlots::new(4, 3);
//! let by_step: Vec<Vec<Option<u32>>> =
//!     requests.chunks(2).map(|of_token| slots.admit(of_token).iter().map(|a| a.fate.slot()).collect()).collect();
//! assert_eq!(by_step[0], [Some(0), Some(0)]);
//! assert_eq!(by_step[4], [None, None]);
//! assert_eq!(by_step[5], [Some(1), Some(1)]); // experts 3 and 2
//! ```

use moe_trace::{Assignment, Fate};

use crate::request::Request;

/// Slots of one layer during one generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenSlots {
    /// `[experts]`: slots already taken.
    taken: Vec<u32>,
    capacity: u32,
}

impl TakenSlots {
    /// Nobody is served yet. `capacity`: slots per expert for the whole text.
    pub fn new(num_experts: usize, capacity: u32) -> TakenSlots {
        TakenSlots { taken: vec![0; num_experts], capacity }
    }

    /// Lets the requests of the next tokens in, token-major. `requests`: ordered by token, then rank.
    pub fn admit(&mut self, requests: &[Request]) -> Vec<Assignment> {
        let admitted = requests.iter().map(|request| {
            let next_slot = &mut self.taken[request.expert.index()];
            let fate = match request.withdrawn {
                Some(fate) => fate,
                None if *next_slot < self.capacity => {
                    *next_slot += 1;
                    Fate::Kept { slot: *next_slot - 1 }
                }
                None => Fate::Lost,
            };
            request.met(fate)
        });
        admitted.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::dispatch;
    use crate::token_choice::top_k;
    use moe_trace::{SlotOrder, Weighting};

    #[test]
    fn step_by_step_is_all_at_once() {
        let requests = top_k::requests(&crate::example::gate_logits(), 2, Weighting::Norm);
        let at_once = dispatch(&requests, 4, &[0, 1, 2, 3, 4, 5], SlotOrder::TokenMajor, Some(3));
        let mut slots = TakenSlots::new(4, 3);
        let by_step: Vec<Assignment> = requests.chunks(2).flat_map(|of_token| slots.admit(of_token)).collect();
        assert_eq!(by_step, at_once);
    }
}
