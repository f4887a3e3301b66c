//! Every full expert keeps the requests with the largest key, whenever they were made.
//!
//! Random token selection (DeepSpeed's `use_rts`; Kim et al. 2021, arXiv:2109.10465, section 3.2): the key is a uniform
//! draw per token and expert, so that no position is favoured; training only, inference goes by position or turns nobody
//! away. By probability (Megatron-Core's `probs` drop policy): the key is the gate probability, whatever the rank; a token
//! that is generated alone has no rival. Not causal, either way: all requests compete.
//! Slots are then given in order of the requests. Ties: the earlier request (ours).
//! Not copied: DeepSpeed's `topkgating("probs")`, which compares logits with the zeros of experts that were not chosen.
//!
//! Four tokens of the [running example](crate::example) want expert 0, which has two slots. By lot tokens 0 and 4 stay
//! (0.8939 and 0.7204); by probability they do, too (0.6932 and 0.7457); by position tokens 0 and 1 would.
//!
//! ```
//! use moe_router::{example, overflow::selection, token_choice::switch};
//!
//! let requests = switch::requests(&example::gate_logits()); // experts 0, 0, 0, 2, 0, 3
//! let slots = |keys: &[f32]| -> Vec<Option<u32>> {
//!     selection::keep_largest(&requests, keys, 4, 2).iter().map(|assignment| assignment.fate.slot()).collect()
//! };
//! let by_lot = slots(&[0.8939, 0.3257, 0.6070, 0.5265, 0.7204, 0.5685]);
//! assert_eq!(by_lot, [Some(0), None, None, Some(0), Some(1), Some(0)]);
//! assert_eq!(slots(&selection::weight_keys(&requests)), by_lot);
//! ```

use moe_trace::{Assignment, Fate};

use crate::gate::by_descending_key;
use crate::request::Request;

/// Per expert, the `capacity` requests with the largest keys are kept. Withdrawn requests do not compete.
///
/// `requests`: ordered by token, then rank; the assignments are too. `keys`: `[requests]`.
pub fn keep_largest(requests: &[Request], keys: &[f32], num_experts: usize, capacity: u32) -> Vec<Assignment> {
    let mut taken = vec![0; num_experts];
    let mut is_kept = vec![false; requests.len()];
    for at in by_descending_key(keys) {
        let taken = &mut taken[requests[at].expert.index()];
        if requests[at].withdrawn.is_none() && *taken < capacity {
            *taken += 1;
            is_kept[at] = true;
        }
    }
    let mut next_slot = vec![0; num_experts];
    let fates = requests.iter().zip(is_kept).map(|(request, is_kept)| {
        let next_slot = &mut next_slot[request.expert.index()];
        let fate = match request.withdrawn {
            Some(fate) => fate,
            None if is_kept => {
                *next_slot += 1;
                Fate::Kept { slot: *next_slot - 1 }
            }
            None => Fate::Lost,
        };
        request.met(fate)
    });
    fates.collect()
}

/// Keys of random token selection, `[requests]`. `uniforms`: `[tokens, experts]`, draws in [0, 1); missing ones count as 0.
pub fn random_keys(requests: &[Request], uniforms: &[f32], num_experts: usize) -> Vec<f32> {
    let draw_of = |request: &Request| uniforms.get(request.token as usize * num_experts + request.expert.index());
    requests.iter().map(|request| draw_of(request).copied().unwrap_or(0.0)).collect()
}

/// Keys of dropping by probability, `[requests]`: raw weights.
pub fn weight_keys(requests: &[Request]) -> Vec<f32> {
    requests.iter().map(|request| request.weight_raw).collect()
}
