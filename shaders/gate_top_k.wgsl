// Gate and top-k: for each token its gate logits, the k experts with the largest, and their weights.
// CPU twin: crates/moe-kernels/src/cpu/gate_top_k.rs
// Top-k gating as in Mixtral (arXiv:2401.04088, section 2.1) and Switch (arXiv:2101.03961, section 2.1).
// One invocation per token. Rounds of argmax with `>` keep the lower expert on a tie, as the twin does.
// At most 64 experts.
//
// A routing row is [logits: experts | expert: k | weight: k | gate probability: k | slot: k]; slots are filled in by
// assign_slots. Indices are small whole numbers, which f32 holds exactly.

struct Params {
    num_tokens: u32,
    d_model: u32,
    num_experts: u32,
    k: u32,
    // 0: weights are gate probabilities. 1: softmax over the chosen logits alone.
    normalised: u32,
}

@group(0) @binding(0) var<storage, read_write> x: array<f32>;         // [tokens, d_model]
@group(0) @binding(1) var<storage, read_write> gate: array<f32>;      // [d_model, experts]
@group(0) @binding(2) var<storage, read_write> routing: array<f32>;   // [tokens, experts + 4 k]
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let token = id.x;
    if token >= params.num_tokens {
        return;
    }
    let num_experts = params.num_experts;
    let k = params.k;
    let row = token * (num_experts + 4u * k);

    var logits: array<f32, 64>;
    for (var expert = 0u; expert < num_experts; expert++) {
        logits[expert] = 0.0;
    }
    for (var i = 0u; i < params.d_model; i++) {
        let value = x[token * params.d_model + i];
        for (var expert = 0u; expert < num_experts; expert++) {
            logits[expert] += value * gate[i * num_experts + expert];
        }
    }
    var largest = logits[0];
    for (var expert = 0u; expert < num_experts; expert++) {
        routing[row + expert] = logits[expert];
        largest = max(largest, logits[expert]);
    }
    var total = 0.0;
    for (var expert = 0u; expert < num_experts; expert++) {
        total += exp(logits[expert] - largest);
    }

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
        routing[row + num_experts + rank] = f32(best);
        routing[row + num_experts + k + rank] = e;
        routing[row + num_experts + 2u * k + rank] = e / total;
        routing[row + num_experts + 3u * k + rank] = -1.0;
    }
    let divisor = select(total, chosen_total, params.normalised == 1u);
    for (var rank = 0u; rank < k; rank++) {
        routing[row + num_experts + k + rank] /= divisor;
    }
}
