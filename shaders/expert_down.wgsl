// Second half of the experts and their combination: y = residual + Σ over kept requests of weight · (hidden · W_down).
// CPU twin: crates/moe-kernels/src/cpu/expert_down.rs
// One invocation per element of the output. Choices are summed in order of rank, so that the result does not depend
// on scheduling. A token that lost all its experts passes by the residual alone.

struct Params {
    num_tokens: u32,
    d_model: u32,
    d_expert: u32,
    num_experts: u32,
    k: u32,
}

@group(0) @binding(0) var<storage, read_write> hidden: array<f32>;     // [tokens · k, d_expert]
@group(0) @binding(1) var<storage, read_write> routing: array<f32>;    // [tokens, experts + 4 k], see gate_top_k
@group(0) @binding(2) var<storage, read_write> w_down: array<f32>;     // [experts, d_expert, d_model]
@group(0) @binding(3) var<storage, read_write> residual: array<f32>;   // [tokens, d_model]
@group(0) @binding(4) var<storage, read_write> y: array<f32>;          // [tokens, d_model]
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let token = id.x / params.d_model;
    let column = id.x % params.d_model;
    if token >= params.num_tokens {
        return;
    }
    let row = token * (params.num_experts + 4u * params.k) + params.num_experts;
    var sum = 0.0;
    for (var rank = 0u; rank < params.k; rank++) {
        if routing[row + 3u * params.k + rank] < 0.0 {
            continue;
        }
        let expert = u32(routing[row + rank]);
        let request = (token * params.k + rank) * params.d_expert;
        var part = 0.0;
        for (var j = 0u; j < params.d_expert; j++) {
            part += hidden[request + j] * w_down[(expert * params.d_expert + j) * params.d_model + column];
        }
        sum += routing[row + params.k + rank] * part;
    }
    y[id.x] = residual[id.x] + sum;
}
