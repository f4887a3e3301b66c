// Copies the end of one buffer into the step's record, so that one read-back brings everything a step decided.
// CPU twin: crates/moe-kernels/src/cpu/record.rs
// One invocation per number.

struct Params {
    source_offset: u32,
    record_offset: u32,
    len: u32,
}

@group(0) @binding(0) var<storage, read_write> source: array<f32>;
@group(0) @binding(1) var<storage, read_write> record: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < params.len {
        record[params.record_offset + id.x] = source[params.source_offset + id.x];
    }
}
