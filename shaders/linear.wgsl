// A linear layer without bias: y = x · W.
// CPU twin: crates/moe-kernels/src/cpu/linear.rs
// One invocation per element of the output; neighbours read neighbouring columns of W.

struct Params {
    num_tokens: u32,
    d_in: u32,
    d_out: u32,
}

@group(0) @binding(0) var<storage, read_write> x: array<f32>;        // [tokens, d_in]
@group(0) @binding(1) var<storage, read_write> weight: array<f32>;   // [d_in, d_out]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;        // [tokens, d_out]
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let token = id.x / params.d_out;
    let column = id.x % params.d_out;
    if token >= params.num_tokens {
        return;
    }
    let row = token * params.d_in;
    var sum = 0.0;
    for (var i = 0u; i < params.d_in; i++) {
        sum += x[row + i] * weight[i * params.d_out + column];
    }
    y[id.x] = sum;
}
