// Causal attention over the cache, several query heads to a key-value head (arXiv:2305.13245).
// CPU twin: crates/moe-kernels/src/cpu/attention.rs
// One invocation per token and head. The softmax is taken in one sweep: whenever a larger score appears, what was
// summed so far is scaled down (arXiv:1805.02867). Heads have at most 64 dimensions.

struct Params {
    num_tokens: u32,
    first_position: u32,
    max_tokens: u32,
    num_heads: u32,
    num_kv_heads: u32,
    d_head: u32,
}

@group(0) @binding(0) var<storage, read_write> queries: array<f32>;  // [tokens, heads · d_head]
@group(0) @binding(1) var<storage, read_write> cache: array<f32>;    // [2, max_tokens, kv_heads · d_head]: keys, values
@group(0) @binding(2) var<storage, read_write> params: Params;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;        // [tokens, heads · d_head]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let token = id.x / params.num_heads;
    let head = id.x % params.num_heads;
    if token >= params.num_tokens {
        return;
    }
    let d_head = params.d_head;
    let query = id.x * d_head;
    let kv_head = head / (params.num_heads / params.num_kv_heads);
    let scale = 1.0 / sqrt(f32(d_head));

    var largest = -3.4e38;
    var total = 0.0;
    var sum: array<f32, 64>;
    for (var i = 0u; i < d_head; i++) {
        sum[i] = 0.0;
    }
    for (var position = 0u; position <= params.first_position + token; position++) {
        let key = (position * params.num_kv_heads + kv_head) * d_head;
        let value = ((position + params.max_tokens) * params.num_kv_heads + kv_head) * d_head;
        var score = 0.0;
        for (var i = 0u; i < d_head; i++) {
            score += queries[query + i] * cache[key + i];
        }
        score *= scale;
        if score > largest {
            let shrink = exp(largest - score);
            largest = score;
            total *= shrink;
            for (var i = 0u; i < d_head; i++) {
                sum[i] *= shrink;
            }
        }
        let p = exp(score - largest);
        total += p;
        for (var i = 0u; i < d_head; i++) {
            sum[i] += p * cache[value + i];
        }
    }
    for (var i = 0u; i < d_head; i++) {
        y[query + i] = sum[i] / total;
    }
}
