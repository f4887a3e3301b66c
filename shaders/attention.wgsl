// Causal attention over the cache, several query heads to a key-value head (arXiv:2305.13245).
// CPU twin: crates/moe-kernels/src/cpu/attention.rs
// One workgroup per token and head, which walks the positions 64 at a time: each invocation takes the score of one
// position, then each sums one dimension over all of them. Whenever a larger score appears, what was summed so far is
// scaled down (arXiv:1805.02867). Heads have at most 64 dimensions.

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
@group(0) @binding(2) var<storage, read_write> y: array<f32>;        // [tokens, heads · d_head]
@group(0) @binding(3) var<uniform> params: Params;

// Of the 64 positions in hand.
var<workgroup> scores: array<f32, 64>;
var<workgroup> powers: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let token = group.x / params.num_heads;
    let head = group.x % params.num_heads;
    let d_head = params.d_head;
    let query = group.x * d_head;
    let kv_head = head / (params.num_heads / params.num_kv_heads);
    let scale = 1.0 / sqrt(f32(d_head));

    var largest = -3.4e38;
    var total = 0.0;
    var sum = 0.0;
    let num_positions = params.first_position + token + 1u;
    for (var first = 0u; first < num_positions; first += 64u) {
        let count = min(64u, num_positions - first);
        if lane < count {
            let key = ((first + lane) * params.num_kv_heads + kv_head) * d_head;
            var score = 0.0;
            for (var i = 0u; i < d_head; i++) {
                score += queries[query + i] * cache[key + i];
            }
            scores[lane] = score * scale;
        }
        workgroupBarrier();
        var now_largest = largest;
        for (var i = 0u; i < count; i++) {
            now_largest = max(now_largest, scores[i]);
        }
        if lane < count {
            powers[lane] = exp(scores[lane] - now_largest);
        }
        workgroupBarrier();
        let shrink = exp(largest - now_largest);
        largest = now_largest;
        total *= shrink;
        for (var i = 0u; i < count; i++) {
            total += powers[i];
        }
        if lane < d_head {
            sum *= shrink;
            for (var i = 0u; i < count; i++) {
                let value = ((first + i + params.max_tokens) * params.num_kv_heads + kv_head) * d_head;
                sum += powers[i] * cache[value + lane];
            }
        }
    }
    if lane < d_head {
        y[query + lane] = sum / total;
    }
}
