// Rotary positions (arXiv:2104.09864) on queries and keys; rotated keys and plain values go into the cache.
// CPU twin: crates/moe-kernels/src/cpu/rope_cache.rs
// One invocation per pair of dimensions (i, i + d_head / 2) of every query, key and value head.
// Sine and cosine come from a table: WGSL allows their built-ins an error of 2^-11, which a long text would show.

struct Params {
    num_tokens: u32,
    first_position: u32,
    max_tokens: u32,
    num_heads: u32,
    num_kv_heads: u32,
    d_head: u32,
}

@group(0) @binding(0) var<storage, read_write> qkv: array<f32>;      // [tokens, (heads + 2 kv_heads) · d_head]
@group(0) @binding(1) var<storage, read_write> angles: array<f32>;   // [max_tokens, 2, d_head / 2]: cosines, then sines
@group(0) @binding(2) var<storage, read_write> cache: array<f32>;    // [2, max_tokens, kv_heads · d_head]: keys, values
@group(0) @binding(3) var<storage, read_write> queries: array<f32>;  // [tokens, heads · d_head]
@group(0) @binding(4) var<uniform> params: Params;

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
    let position = params.first_position + token;
    let source = (token * all_heads + head) * params.d_head;
    let a = qkv[source + i];
    let b = qkv[source + half + i];

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
        var row = position;
        var kv_head = head - params.num_heads;
        if is_value {
            row += params.max_tokens;
            kv_head -= params.num_kv_heads;
        }
        let target_row = (row * params.num_kv_heads + kv_head) * params.d_head;
        cache[target_row + i] = first;
        cache[target_row + half + i] = second;
    }
}
