//! Twin of `shaders/route_alone.wgsl`: norm, gate, top-k and slots of tokens that share these with no other of the pass.

use super::assign_slots::assign_slots;
use super::gate_top_k::gate_top_k;
use super::rms_norm::rms_norm;
use crate::params::{AloneParams, GateParams, RowParams, SlotParams};
use crate::routing_width;

/// `x`, `normed`: `[tokens, d_model]`; `gain`: `[d_model]`; `gate`: `[d_model, experts]`; `draws`: `[tokens]`, uniform in
/// [0, 1); `taken`: `[layers, experts]`, slots that earlier tokens have; `routing`: `[tokens, experts + 4 k]`. The rows of
/// `record` begin at `record_offset`.
#[allow(clippy::too_many_arguments, reason = "as many as the shader has buffers")]
pub fn route_alone(
    x: &[f32],
    gain: &[f32],
    gate: &[f32],
    draws: &[f32],
    taken: &[i32],
    params: AloneParams,
    record: &mut [f32],
    normed: &mut [f32],
    routing: &mut [f32],
) {
    let AloneParams { num_tokens, d_model, num_experts, k, normalised, capacity, random_second, .. } = params;
    rms_norm(x, gain, RowParams { num_tokens, d_model }, normed);
    gate_top_k(normed, gate, GateParams { num_tokens, d_model, num_experts, k, normalised }, routing);
    let taken_offset = params.taken_offset;
    let slots = SlotParams { num_tokens: 1, num_experts, k, capacity, rank_major: 0, random_second, taken_offset };
    let width = routing_width(num_experts as usize, k as usize);
    for (row, draw) in routing.chunks_exact_mut(width).zip(draws) {
        assign_slots(&[0], std::slice::from_ref(draw), taken, slots, row);
    }
    record[params.record_offset as usize..][..routing.len()].copy_from_slice(routing);
}
