//! Twin of `shaders/assign_slots.wgsl`: which requests find a free slot, and which are turned away.

use crate::params::SlotParams;
use crate::{SLOT_LOST, SLOT_SKIPPED, routing_width};

/// `order`: `[tokens]`, `order[place] = token`; `draws`: `[tokens]`, uniform in [0, 1); `taken`: `[layers, experts]`, slots
/// that earlier tokens of the group have; `routing`: `[tokens, experts + 4 k]`, see `gate_top_k`, whose slots are filled in.
pub fn assign_slots(order: &[i32], draws: &[f32], taken: &[i32], params: SlotParams, routing: &mut [f32]) {
    let (num_tokens, num_experts, k) = (params.num_tokens as usize, params.num_experts as usize, params.k as usize);
    let taken = &taken[params.taken_offset as usize..][..num_experts];
    let mut filled: Vec<u32> = taken.iter().map(|&taken| taken as u32).collect();
    for request in 0..num_tokens * k {
        let (place, rank) = match params.rank_major {
            1 => (request % num_tokens, request / num_tokens),
            _ => (request / k, request % k),
        };
        let token = order[place] as usize;
        let row = token * routing_width(num_experts, k) + num_experts;
        let expert = routing[row + rank] as usize;
        let withdrawn = params.random_second == 1 && rank == 1 && 2.0 * routing[row + k + 1] <= draws[token];
        routing[row + 3 * k + rank] = if withdrawn {
            SLOT_SKIPPED
        } else if filled[expert] < params.capacity {
            filled[expert] += 1;
            (filled[expert] - 1) as f32
        } else {
            SLOT_LOST
        };
    }
}
