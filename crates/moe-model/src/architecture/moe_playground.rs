//! Our own models: what each parameter is called in their files.

use super::{Name, Role};

pub const NAMES: [Name; 17] = [
    name("embedding", "embedding", Role::Matrix),
    name("blocks.*.attention_norm", "blocks.*.attention_norm", Role::Norm),
    name("blocks.*.attention.w_qkv", "blocks.*.w_qkv", Role::Matrix),
    name("blocks.*.attention.w_out", "blocks.*.w_out", Role::Matrix),
    name("blocks.*.moe_norm", "blocks.*.moe_norm", Role::NormOfGate),
    name("blocks.*.gate.Linear.weight", "blocks.*.gate", Role::Gate),
    name("blocks.*.gate.Cosine.embeddings", "blocks.*.gate", Role::Gate),
    name("blocks.*.gate.Cosine.projection", "blocks.*.cosine.gate_projection", Role::Gate),
    name("blocks.*.gate.Cosine.sharpness", "blocks.*.cosine.gate_sharpness", Role::Gate),
    name("blocks.*.selection_bias", "blocks.*.gate_bias", Role::Gate),
    name("blocks.*.experts.w_gate", "blocks.*.w_gate", Role::Matrix),
    name("blocks.*.experts.w_up", "blocks.*.w_up", Role::Matrix),
    name("blocks.*.experts.w_down", "blocks.*.w_down", Role::Matrix),
    name("blocks.*.shared_experts.w_gate", "blocks.*.shared.w_gate", Role::Matrix),
    name("blocks.*.shared_experts.w_up", "blocks.*.shared.w_up", Role::Matrix),
    name("blocks.*.shared_experts.w_down", "blocks.*.shared.w_down", Role::Matrix),
    name("final_norm", "final_norm", Role::Norm),
];

const fn name(ours: &'static str, theirs: &'static str, role: Role) -> Name {
    Name { ours, theirs, role }
}
