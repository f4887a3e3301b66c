// Capacity: which requests find a free slot at their expert, and which are turned away.
// CPU twin: crates/moe-kernels/src/cpu/assign_slots.rs
// GShard (arXiv:2006.16668, algorithm 1), Switch (arXiv:2101.03961, eq. 3).
// One invocation per expert, which walks through all requests in order: slots depend on order alone, never on which
// invocation came first, so that the same text always drops the same tokens. Tokens of the group that an earlier pass
// routed are not walked through again: counting starts from the slots they have.

struct Params {
    num_tokens: u32,
    num_experts: u32,
    k: u32,
    // Slots per expert; 4294967295 where nobody is turned away.
    capacity: u32,
    // 0: token after token, all its choices. 1: all first choices, then all second ones, …
    rank_major: u32,
    // 0: later choices always ask. 1: a second choice of weight g asks if 2 g > draw (GShard).
    random_second: u32,
    // Where in `taken` this layer begins.
    taken_offset: u32,
}

@group(0) @binding(0) var<storage, read_write> order: array<i32>;     // [tokens]: order[place] = token
@group(0) @binding(1) var<storage, read_write> draws: array<f32>;     // [tokens], uniform in [0, 1)
@group(0) @binding(2) var<storage, read_write> taken: array<i32>;     // [layers, experts]: slots that earlier tokens have
@group(0) @binding(3) var<storage, read_write> routing: array<f32>;   // [tokens, experts + 4 k]; fills the slots:
                                                                      // ≥ 0 kept, -1 lost, -2 skipped
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let expert = id.x;
    if expert >= params.num_experts {
        return;
    }
    let k = params.k;
    let width = params.num_experts + 4u * k;
    var filled = u32(taken[params.taken_offset + expert]);
    for (var request = 0u; request < params.num_tokens * k; request++) {
        var place = request / k;
        var rank = request % k;
        if params.rank_major == 1u {
            place = request % params.num_tokens;
            rank = request / params.num_tokens;
        }
        let token = u32(order[place]);
        let row = token * width + params.num_experts;
        if u32(routing[row + rank]) != expert {
            continue;
        }
        let slot = row + 3u * k + rank;
        let withdrawn = params.random_second == 1u && rank == 1u && 2.0 * routing[row + k + 1u] <= draws[token];
        if withdrawn {
            routing[slot] = -2.0;
        } else if filled < params.capacity {
            routing[slot] = f32(filled);
            filled++;
        } else {
            routing[slot] = -1.0;
        }
    }
}
