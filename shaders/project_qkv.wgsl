// What attention begins with: the norm of each row (see rms_norm), times the matrix of queries, keys and values (see
// linear), their rotation, and keys and values into the cache (see rope_cache).
// CPU twin: crates/moe-kernels/src/cpu/project_qkv.rs
// One invocation per pair of dimensions (i, i + d_head / 2) of every query, key and value head. Each takes the norm of
// its row once more: that is as much reading as one of its two columns, and spares two launches.

struct Params {
    num_tokens: u32,
    first_position: u32,
    max_tokens: u32,
    num_heads: u32,
    num_kv_heads: u32,
    d_head: u32,
    d_model: u32,
}

@group(0) @binding(0) var<storage, read_write> x: array<f32>;        // [tokens, d_model]
@group(0) @binding(1) var<storage, read_write> gain: array<f32>;     // [d_model]
@group(0) @binding(2) var<storage, read_write> weight: array<f32>;   // [d_model, (heads + 2 kv_heads) · d_head]
@group(0) @binding(3) var<storage, read_write> angles: array<f32>;   // [max_tokens, 2, d_head / 2]: cosines, then sines
@group(0) @binding(4) var<storage, read_write> cache: array<f32>;    // [2, max_tokens, kv_heads · d_head]: keys, values
@group(0) @binding(5) var<storage, read_write> queries: array<f32>;  // [tokens, heads · d_head]
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let half = params.d_head / 2u;
    let all_heads = params.num_heads + 2u * params.num_kv_heads;
    let token = id.x / (all_heads * half);
    let head = id.x / half % all_heads;
    let i = id.x % half;
    if token >= params.num_tokens {
        return;
    }
    let row = token * params.d_model;
    var sum_of_squares = 0.0;
    for (var j = 0u; j < params.d_model; j++) {
        sum_of_squares += x[row + j] * x[row + j];
    }
    let scale = 1.0 / sqrt(sum_of_squares / f32(params.d_model) + 1e-5);

    let d_out = all_heads * params.d_head;
    let column = head * params.d_head + i;
    var a = 0.0;
    var b = 0.0;
    for (var j = 0u; j < params.d_model; j++) {
        let normed = x[row + j] * scale * gain[j];
        a += normed * weight[j * d_out + column];
        b += normed * weight[j * d_out + column + half];
    }

    let position = params.first_position + token;
    let is_value = head >= params.num_heads + params.num_kv_heads;
    var cosine = angles[position * params.d_head + i];
    var sine = angles[position * params.d_head + half + i];
    if is_value {
        cosine = 1.0;
        sine = 0.0;
    }
    let first = a * cosine - b * sine;
    let second = a * sine + b * cosine;

    if head < params.num_heads {
        let target_row = (token * params.num_heads + head) * params.d_head;
        queries[target_row + i] = first;
        queries[target_row + half + i] = second;
    } else {
        var cache_row = position;
        var kv_head = head - params.num_heads;
        if is_value {
            cache_row += params.max_tokens;
            kv_head -= params.num_kv_heads;
        }
        let target_row = (cache_row * params.num_kv_heads + kv_head) * params.d_head;
        cache[target_row + i] = first;
        cache[target_row + half + i] = second;
    }
}
