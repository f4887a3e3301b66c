// Root-mean-square norm (arXiv:1910.07467, eq. 4): y = x / sqrt(mean(x²) + 1e-5) · gain.
// CPU twin: crates/moe-kernels/src/cpu/rms_norm.rs
// One invocation per token: a row is short, and a reduction over a workgroup is slow on software adapters.

struct Params {
    num_tokens: u32,
    d_model: u32,
}

@group(0) @binding(0) var<storage, read_write> x: array<f32>;      // [tokens, d_model]
@group(0) @binding(1) var<storage, read_write> gain: array<f32>;   // [d_model]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;      // [tokens, d_model]
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let token = id.x;
    if token >= params.num_tokens {
        return;
    }
    let row = token * params.d_model;
    var sum_of_squares = 0.0;
    for (var i = 0u; i < params.d_model; i++) {
        sum_of_squares += x[row + i] * x[row + i];
    }
    let scale = 1.0 / sqrt(sum_of_squares / f32(params.d_model) + 1e-5);
    for (var i = 0u; i < params.d_model; i++) {
        y[row + i] = x[row + i] * scale * gain[i];
    }
}
