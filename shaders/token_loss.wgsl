// What each token of the text cost: -ln p(token | tokens before it) = logsumexp(logits) - logit of the token, in nats.
// CPU twin: crates/moe-kernels/src/cpu/token_loss.rs
// One invocation per token. `targets[t]` is the token that follows token t; a negative one means that none does yet.

struct Params {
    num_tokens: u32,
    vocab_size: u32,
}

@group(0) @binding(0) var<storage, read_write> logits: array<f32>;    // [tokens, vocabulary]
@group(0) @binding(1) var<storage, read_write> targets: array<i32>;   // [tokens]
@group(0) @binding(2) var<storage, read_write> loss: array<f32>;      // [tokens]; 0 where there is no target
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let token = id.x;
    if token >= params.num_tokens {
        return;
    }
    if targets[token] < 0 {
        loss[token] = 0.0;
        return;
    }
    let row = token * params.vocab_size;
    var largest = logits[row];
    for (var i = 1u; i < params.vocab_size; i++) {
        largest = max(largest, logits[row + i]);
    }
    var total = 0.0;
    for (var i = 0u; i < params.vocab_size; i++) {
        total += exp(logits[row + i] - largest);
    }
    loss[token] = largest + log(total) - logits[row + u32(targets[token])];
}
