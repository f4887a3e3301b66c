// The end of a pass: the norm of each row (see rms_norm), times the matrix that makes logits of it, into the step's record.
// CPU twin: crates/moe-kernels/src/cpu/head.rs
// One invocation per logit; neighbours read neighbouring columns of the matrix. Each takes the norm of its row once more.

struct Params {
    num_tokens: u32,
    d_model: u32,
    vocab_size: u32,
    record_offset: u32,
}

@group(0) @binding(0) var<storage, read_write> x: array<f32>;        // [tokens, d_model]
@group(0) @binding(1) var<storage, read_write> gain: array<f32>;     // [d_model]
@group(0) @binding(2) var<storage, read_write> weight: array<f32>;   // [d_model, vocabulary]
@group(0) @binding(3) var<storage, read_write> record: array<f32>;   // from record_offset on: [tokens, vocabulary]
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let token = id.x / params.vocab_size;
    let column = id.x % params.vocab_size;
    if token >= params.num_tokens {
        return;
    }
    let row = token * params.d_model;
    var sum_of_squares = 0.0;
    for (var i = 0u; i < params.d_model; i++) {
        sum_of_squares += x[row + i] * x[row + i];
    }
    let scale = 1.0 / sqrt(sum_of_squares / f32(params.d_model) + 1e-5);
    var sum = 0.0;
    for (var i = 0u; i < params.d_model; i++) {
        sum += x[row + i] * scale * gain[i] * weight[i * params.vocab_size + column];
    }
    record[params.record_offset + id.x] = sum;
}
