// Batch-prioritised routing (arXiv:2106.05974, section 4): the order in which tokens are offered slots, the token
// with the largest gate probability first.
// CPU twin: crates/moe-kernels/src/cpu/token_order.rs
// One invocation per token, which counts the tokens before it: more confident ones, or equal ones of lower index.

struct Params {
    num_tokens: u32,
    num_experts: u32,
    k: u32,
}

@group(0) @binding(0) var<storage, read_write> routing: array<f32>;   // [tokens, experts + 4 k], see gate_top_k
@group(0) @binding(1) var<storage, read_write> order: array<i32>;     // [tokens]: order[place] = token
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let token = id.x;
    if token >= params.num_tokens {
        return;
    }
    let width = params.num_experts + 4u * params.k;
    // The first choice is the most probable expert: its gate probability is the token's confidence.
    let column = params.num_experts + 2u * params.k;
    let confidence = routing[token * width + column];
    var place = 0u;
    for (var other = 0u; other < params.num_tokens; other++) {
        let rival = routing[other * width + column];
        if rival > confidence || (rival == confidence && other < token) {
            place++;
        }
    }
    order[place] = i32(token);
}
