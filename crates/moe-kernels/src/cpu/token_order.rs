//! Twin of `shaders/token_order.wgsl`: the order in which batch-prioritised routing offers slots.

use crate::params::OrderParams;
use crate::routing_width;

/// `routing`: `[tokens, experts + 4 k]`, see `gate_top_k`; `order`: `[tokens]`, `order[place] = token`.
pub fn token_order(routing: &[f32], params: OrderParams, order: &mut [i32]) {
    let (num_experts, k) = (params.num_experts as usize, params.k as usize);
    let confidence = |token: usize| routing[token * routing_width(num_experts, k) + num_experts + 2 * k];
    for (place, token) in order.iter_mut().zip(0..) {
        *place = token;
    }
    order.sort_by(|&a, &b| confidence(b as usize).total_cmp(&confidence(a as usize)).then(a.cmp(&b)));
}
