//! The small numbers a kernel needs, as typed structs with the field order of the WGSL struct of the same kernel.

macro_rules! params {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: u32,)+
        }

        impl $name {
            /// Field names in order: what the WGSL struct `Params` must look like.
            pub const FIELDS: &[&str] = &[$(stringify!($field)),+];

            /// Its fields in order, as the WGSL struct lies in memory.
            pub fn to_words(self) -> Vec<u32> {
                vec![$(self.$field),+]
            }
        }
    };
}

params!(
    /// Numbers of `embed` and `rms_norm`.
    RowParams { num_tokens, d_model }
);
params!(
    /// Numbers of `linear` and `linear_add`.
    LinearParams { num_tokens, d_in, d_out }
);
params!(
    /// Numbers of `rope_cache` and `attention`.
    AttentionParams {
        num_tokens,
        /// Position in the text of the first token of this pass.
        first_position,
        /// Rows of the cache.
        max_tokens,
        num_heads,
        num_kv_heads,
        d_head,
    }
);
params!(
    /// Numbers of `project_qkv`: those of attention, and the width of a row.
    QkvParams { num_tokens, first_position, max_tokens, num_heads, num_kv_heads, d_head, d_model }
);

impl QkvParams {
    pub fn new(attention: AttentionParams, d_model: u32) -> QkvParams {
        let AttentionParams { num_tokens, first_position, max_tokens, num_heads, num_kv_heads, d_head } = attention;
        QkvParams { num_tokens, first_position, max_tokens, num_heads, num_kv_heads, d_head, d_model }
    }

    pub fn attention(self) -> AttentionParams {
        let QkvParams { num_tokens, first_position, max_tokens, num_heads, num_kv_heads, d_head, .. } = self;
        AttentionParams { num_tokens, first_position, max_tokens, num_heads, num_kv_heads, d_head }
    }
}

params!(
    /// Numbers of `gate_top_k`.
    GateParams {
        num_tokens,
        d_model,
        num_experts,
        k,
        /// 0: weights are gate probabilities; 1: softmax over the chosen logits alone.
        normalised,
    }
);
params!(
    /// Numbers of `token_order`.
    OrderParams { num_tokens, num_experts, k }
);
params!(
    /// Numbers of `assign_slots`.
    SlotParams {
        num_tokens,
        num_experts,
        k,
        /// Slots per expert; `u32::MAX` where nobody is turned away.
        capacity,
        /// 1: all first choices before any second one.
        rank_major,
        /// 1: a second choice of weight g asks only if `2 g > draw`.
        random_second,
        /// Where in the slots taken by earlier tokens this layer begins.
        taken_offset,
    }
);
params!(
    /// Numbers of `route_alone`.
    AloneParams {
        num_tokens,
        d_model,
        num_experts,
        k,
        /// As of [`GateParams`].
        normalised,
        /// As of [`SlotParams`], as are the next two.
        capacity,
        random_second,
        taken_offset,
        /// Where in the step's record the routing rows begin.
        record_offset,
    }
);
params!(
    /// Numbers of `expert_up` and `expert_down`.
    ExpertParams { num_tokens, d_model, d_expert, num_experts, k }
);
params!(
    /// Numbers of `head`.
    HeadParams {
        num_tokens,
        d_model,
        vocab_size,
        /// Where in the step's record the logits begin.
        record_offset,
    }
);
params!(
    /// Numbers of `token_loss`.
    LossParams { num_tokens, vocab_size }
);
params!(
    /// Numbers of `record`.
    RecordParams { source_offset, record_offset, len }
);
