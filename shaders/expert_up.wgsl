// First half of a SwiGLU expert (arXiv:2002.05202, eq. 6): hidden = silu(x · W_gate) ⊙ (x · W_up).
// CPU twin: crates/moe-kernels/src/cpu/expert_up.rs
// One invocation per request and hidden column. Only the experts that were asked and had a slot are read.

struct Params {
    num_tokens: u32,
    d_model: u32,
    d_expert: u32,
    num_experts: u32,
    k: u32,
}

@group(0) @binding(0) var<storage, read_write> x: array<f32>;         // [tokens, d_model]
@group(0) @binding(1) var<storage, read_write> routing: array<f32>;   // [tokens, experts + 4 k], see gate_top_k
@group(0) @binding(2) var<storage, read_write> w_gate: array<f32>;    // [experts, d_model, d_expert]
@group(0) @binding(3) var<storage, read_write> w_up: array<f32>;      // [experts, d_model, d_expert]
@group(0) @binding(4) var<storage, read_write> hidden: array<f32>;    // [tokens · k, d_expert]
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let request = id.x / params.d_expert;
    let column = id.x % params.d_expert;
    let token = request / params.k;
    let rank = request % params.k;
    if token >= params.num_tokens {
        return;
    }
    let row = token * (params.num_experts + 4u * params.k) + params.num_experts;
    if routing[row + 3u * params.k + rank] < 0.0 {
        hidden[id.x] = 0.0;
        return;
    }
    let expert = u32(routing[row + rank]);
    var gate = 0.0;
    var up = 0.0;
    for (var i = 0u; i < params.d_model; i++) {
        let value = x[token * params.d_model + i];
        let at = (expert * params.d_model + i) * params.d_expert + column;
        gate += value * w_gate[at];
        up += value * w_up[at];
    }
    hidden[id.x] = gate / (1.0 + exp(-gate)) * up;
}
