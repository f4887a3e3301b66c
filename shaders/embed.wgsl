// Embedding: the row of the table that belongs to each token.
// CPU twin: crates/moe-kernels/src/cpu/embed.rs
// One invocation per element of the output.

struct Params {
    num_tokens: u32,
    d_model: u32,
}

@group(0) @binding(0) var<storage, read_write> token_ids: array<i32>;   // [tokens]
@group(0) @binding(1) var<storage, read_write> table: array<f32>;       // [vocabulary, d_model]
@group(0) @binding(2) var<storage, read_write> x: array<f32>;           // [tokens, d_model]
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let token = id.x / params.d_model;
    let column = id.x % params.d_model;
    if token >= params.num_tokens {
        return;
    }
    x[id.x] = table[u32(token_ids[token]) * params.d_model + column];
}
