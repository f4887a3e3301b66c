// All that decides where a token goes that shares its slots with no other of the pass: the norm of its row (see rms_norm),
// gate and top-k (see gate_top_k), its slots (see assign_slots), and the routing row into the step's record.
// CPU twin: crates/moe-kernels/src/cpu/route_alone.rs
// One workgroup per token, an invocation for each expert's logit; the first of them chooses. At most 64 experts.

struct Params {
    num_tokens: u32,
    d_model: u32,
    num_experts: u32,
    k: u32,
    // 0: weights are gate probabilities. 1: softmax over the chosen logits alone.
    normalised: u32,
    // Slots per expert; 4294967295 where nobody is turned away.
    capacity: u32,
    // 0: later choices always ask. 1: a second choice of weight g asks if 2 g > draw (GShard).
    random_second: u32,
    // Where in `taken` this layer begins.
    taken_offset: u32,
    record_offset: u32,
}

@group(0) @binding(0) var<storage, read_write> x: array<f32>;         // [tokens, d_model]
@group(0) @binding(1) var<storage, read_write> gain: array<f32>;      // [d_model]
@group(0) @binding(2) var<storage, read_write> gate: array<f32>;      // [d_model, experts]
@group(0) @binding(3) var<storage, read_write> draws: array<f32>;     // [tokens], uniform in [0, 1)
@group(0) @binding(4) var<storage, read_write> taken: array<i32>;     // [layers, experts]: slots that earlier tokens have
@group(0) @binding(5) var<storage, read_write> record: array<f32>;    // from record_offset on: the routing rows
@group(0) @binding(6) var<storage, read_write> normed: array<f32>;    // [tokens, d_model]
@group(0) @binding(7) var<storage, read_write> routing: array<f32>;   // [tokens, experts + 4 k], see gate_top_k
@group(0) @binding(8) var<uniform> params: Params;

var<workgroup> logits: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let token = group.x;
    let num_experts = params.num_experts;
    let k = params.k;
    let state = token * params.d_model;

    var sum_of_squares = 0.0;
    for (var i = 0u; i < params.d_model; i++) {
        sum_of_squares += x[state + i] * x[state + i];
    }
    let scale = 1.0 / sqrt(sum_of_squares / f32(params.d_model) + 1e-5);
    for (var i = lane; i < params.d_model; i += 64u) {
        normed[state + i] = x[state + i] * scale * gain[i];
    }
    if lane < num_experts {
        var logit = 0.0;
        for (var i = 0u; i < params.d_model; i++) {
            logit += x[state + i] * scale * gain[i] * gate[i * num_experts + lane];
        }
        logits[lane] = logit;
    }
    workgroupBarrier();
    if lane > 0u {
        return;
    }

    let row = token * (num_experts + 4u * k);
    var largest = logits[0];
    for (var expert = 0u; expert < num_experts; expert++) {
        routing[row + expert] = logits[expert];
        largest = max(largest, logits[expert]);
    }
    var total = 0.0;
    for (var expert = 0u; expert < num_experts; expert++) {
        total += exp(logits[expert] - largest);
    }

    let chosen = row + num_experts;
    var chosen_total = 0.0;
    for (var rank = 0u; rank < k; rank++) {
        var best = 0u;
        var best_logit = -3.4e38;
        for (var expert = 0u; expert < num_experts; expert++) {
            if logits[expert] > best_logit {
                best = expert;
                best_logit = logits[expert];
            }
        }
        logits[best] = -3.4e38;
        let e = exp(best_logit - largest);
        chosen_total += e;
        routing[chosen + rank] = f32(best);
        routing[chosen + k + rank] = e;
        routing[chosen + 2u * k + rank] = e / total;
    }
    let divisor = select(total, chosen_total, params.normalised == 1u);
    for (var rank = 0u; rank < k; rank++) {
        let weight = routing[chosen + k + rank] / divisor;
        routing[chosen + k + rank] = weight;
        // It asks each expert once at most, so its requests do not take slots from one another.
        let filled = u32(taken[params.taken_offset + u32(routing[chosen + rank])]);
        let withdrawn = params.random_second == 1u && rank == 1u && 2.0 * weight <= draws[token];
        if withdrawn {
            routing[chosen + 3u * k + rank] = -2.0;
        } else if filled < params.capacity {
            routing[chosen + 3u * k + rank] = f32(filled);
        } else {
            routing[chosen + 3u * k + rank] = -1.0;
        }
    }
    for (var i = 0u; i < num_experts + 4u * k; i++) {
        record[params.record_offset + row + i] = routing[row + i];
    }
}
