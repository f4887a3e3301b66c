//! Who gets the slots: requests are offered one after the other, and an expert takes them until it is full.
//!
//! The same for every rule in which tokens choose. The order is the whole policy:
//! * token-major (MegaBlocks, DeepSpeed top-k): token after token, each with all its choices. With tokens in order of
//!   position this is causal, since a later token displaces nobody.
//! * rank-major (GShard, mesh-TensorFlow, V-MoE, Tutel): all first choices, then all second ones. Not causal for k > 1:
//!   a later token's first choice takes the slot of an earlier one's second.
//! * batch-prioritised (V-MoE, arXiv:2106.05974, section 4): tokens by confidence instead of position; or by lot, so that
//!   no position is favoured. Not causal.
//! * no order: every full expert selects by itself, see [`crate::overflow::selection`]. Not causal.
//!
//! A withdrawn request takes no slot and counts in no demand. Without a capacity everyone is served, and the slot is
//! the position in the expert's queue, token-major as in MegaBlocks (arXiv:2211.15841).
//! Nothing is renormalised because of a drop; a lost request simply contributes nothing.
//!
//! Top-2 of the [running example](crate::example), three slots per expert. In order of position token 4 comes last to the
//! crowd and loses both choices, although no token is surer of its first. By confidence it is served first; token 2
//! loses its first choice then, and token 3 its second.
//!
//! ```
//! use moe_router::dispatch::{dispatch, token_order};
//! use moe_router::{example, token_choice::top_k};
//! use moe_trace::{Priority, SlotOrder, Weighting};
//!
//! let gate_logits = example::gate_logits();
//! let requests = top_k::requests(&gate_logits, 2, Weighting::Norm);
//! let order = |priority| token_order(priority, &requests, &gate_logits, &[]);
//! let lost = |priority| -> Vec<(u32, u32)> {
//!     let assignments = dispatch(&requests, 4, &order(priority), SlotOrder::RankMajor, Some(3));
//!     assignments.iter().filter(|a| !a.fate.is_kept()).map(|a| (a.token, a.expert.0)).collect()
//! };
//! assert_eq!(lost(Priority::Position), [(4, 0), (4, 1)]);
//! assert_eq!(order(Priority::BprMax), [4, 0, 5, 1, 2, 3]); // 0.7457, 0.6932, 0.5358, …
//! assert_eq!(lost(Priority::BprMax), [(2, 0), (3, 1)]);
//! ```

use moe_trace::{Assignment, Fate, GateLogits, Priority, Routing, SlotOrder};

use crate::gate::{by_descending_key, gate_probs, sorted};
use crate::request::Request;

/// Lets `requests` in, one after the other. Assignments come back ordered by token, then rank.
///
/// `requests`: ordered by token, then rank. `token_order`: every token once, the one served first at the front.
/// `capacity`: slots per expert, `None` for no limit.
pub fn dispatch(
    requests: &[Request],
    num_experts: usize,
    token_order: &[usize],
    slot_order: SlotOrder,
    capacity: Option<u32>,
) -> Vec<Assignment> {
    // The requests of token t are requests[starts[t]..starts[t + 1]]: a rule may ask more for one token than another.
    let mut starts = vec![0; token_order.len() + 1];
    for request in requests {
        starts[request.token as usize + 1] += 1;
    }
    for token in 0..token_order.len() {
        starts[token + 1] += starts[token];
    }
    let of_token = |token: usize| starts[token]..starts[token + 1];
    let order: Vec<usize> = match slot_order {
        SlotOrder::TokenMajor => token_order.iter().flat_map(|&token| of_token(token)).collect(),
        SlotOrder::RankMajor => {
            let most = (0..token_order.len()).map(|token| of_token(token).len()).max().unwrap_or(0);
            let at_rank = |rank| token_order.iter().filter_map(move |&token| of_token(token).nth(rank));
            (0..most).flat_map(at_rank).collect()
        }
    };

    let mut taken = vec![0; num_experts];
    let mut fates = vec![Fate::Lost; requests.len()];
    for at in order {
        let request = &requests[at];
        let next_slot = &mut taken[request.expert.index()];
        if let Some(fate) = request.withdrawn {
            fates[at] = fate;
        } else if capacity.is_none_or(|slots| *next_slot < slots) {
            fates[at] = Fate::Kept { slot: *next_slot };
            *next_slot += 1;
        }
    }
    requests.iter().zip(fates).map(|(request, fate)| request.met(fate)).collect()
}

/// Everyone served: the routing of a rule without capacity.
///
/// `requests`: ordered by token, then rank.
pub fn dropless(requests: &[Request], num_tokens: usize, num_experts: usize) -> Routing {
    let in_order: Vec<usize> = (0..num_tokens).collect();
    let assignments = dispatch(requests, num_experts, &in_order, SlotOrder::TokenMajor, None);
    Routing { num_tokens: num_tokens as u32, num_experts: num_experts as u32, capacity: None, assignments }
}

/// Assignments in the order of a routing: by token, then rank.
pub(crate) fn by_token(assignments: Vec<Assignment>) -> Vec<Assignment> {
    let key = |at: usize| (assignments[at].token, assignments[at].rank);
    sorted(assignments.len(), &|a, b| key(a).cmp(&key(b))).into_iter().map(|at| assignments[at]).collect()
}

/// The order in which tokens are offered slots: `[tokens]`, first served first; equal keys by position.
///
/// Keys are compared as f32: that forgives the last bits of a sum, which depend on the order of summation, so that rows
/// with the same values in another order tie.
///
/// `lots`: `[tokens, experts]`, of which a random order uses the first of each row; missing lots count as 0.
pub fn token_order(priority: Priority, requests: &[Request], gate_logits: &GateLogits, lots: &[f32]) -> Vec<usize> {
    let keys: Vec<f32> = match priority {
        // Where experts select by themselves there is no order of tokens.
        Priority::Position | Priority::RandomPerExpert | Priority::Probability => {
            return (0..gate_logits.num_tokens()).collect();
        }
        Priority::Random => {
            let lot = |token: usize| lots.get(token * gate_logits.num_experts()).copied().unwrap_or(0.0);
            (0..gate_logits.num_tokens()).map(lot).collect()
        }
        Priority::BprMax => {
            let largest = |probs: &[f32]| probs.iter().copied().fold(0.0, f32::max);
            gate_probs(gate_logits).chunks(gate_logits.num_experts()).map(largest).collect()
        }
        Priority::BprSum => {
            // All chosen experts count, also a second one that was withdrawn.
            let mut sums = vec![0.0_f64; gate_logits.num_tokens()];
            for request in requests {
                sums[request.token as usize] += f64::from(request.weight_raw);
            }
            sums.into_iter().map(|sum| sum as f32).collect()
        }
    };
    by_descending_key(&keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;
    use crate::token_choice::top_k;
    use moe_trace::Weighting;

    /// Slots of the running example's top-2 requests, token by token; `-` for a lost one.
    fn check(priority: Priority, slot_order: SlotOrder, capacity: Option<u32>, expected: [&str; 6]) {
        let gate_logits = example::gate_logits();
        let requests = top_k::requests(&gate_logits, 2, Weighting::Norm);
        // Lots that rise with the position: the last token is served first.
        let lots: Vec<f32> = (0..24).map(|at| at as f32 / 24.0).collect();
        let order = token_order(priority, &requests, &gate_logits, &lots);
        let assignments = dispatch(&requests, 4, &order, slot_order, capacity);
        let slot = |a: &Assignment| a.fate.slot().map_or("-".to_owned(), |slot| slot.to_string());
        let found: Vec<String> = assignments.chunks(2).map(|pair| slot(&pair[0]) + &slot(&pair[1])).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn three_slots_four_orders() {
        // Experts: t0 01, t1 01, t2 03, t3 21, t4 01, t5 32.
        check(Priority::Position, SlotOrder::RankMajor, Some(3), ["00", "11", "21", "02", "--", "01"]);
        check(Priority::Position, SlotOrder::TokenMajor, Some(3), ["00", "11", "20", "02", "--", "11"]);
        // Confidence: t4 t0 t5 t1 t2 t3; by the sum of both probabilities: t4 t0 t1 t3 t2 t5.
        check(Priority::BprMax, SlotOrder::RankMajor, Some(3), ["11", "22", "-1", "0-", "00", "01"]);
        check(Priority::BprSum, SlotOrder::RankMajor, Some(3), ["11", "22", "-1", "0-", "00", "01"]);
        check(Priority::Random, SlotOrder::RankMajor, Some(3), ["--", "22", "11", "01", "00", "01"]);
        // Dropless: the position in each expert's queue.
        check(Priority::Position, SlotOrder::TokenMajor, None, ["00", "11", "20", "02", "33", "11"]);
    }
}
