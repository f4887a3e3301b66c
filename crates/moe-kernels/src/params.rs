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

            /// The words a parameter tensor holds; `u32::MAX` becomes -1, its bit pattern.
            pub fn to_words(self) -> Vec<i32> {
                vec![$(self.$field as i32),+]
            }

            /// Reads what [`Self::to_words`] wrote. Panics if there are fewer words than fields: a bug of the caller.
            pub fn from_words(words: &[i32]) -> $name {
                let mut words = words.iter().map(|&word| word as u32);
                $(let $field = words.next().expect("a parameter tensor holds one word per field");)+
                $name { $($field),+ }
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
    /// Numbers of `expert_up` and `expert_down`.
    ExpertParams { num_tokens, d_model, d_expert, num_experts, k }
);
params!(
    /// Numbers of `token_loss`.
    LossParams { num_tokens, vocab_size }
);
params!(
    /// Numbers of `record`.
    RecordParams { source_offset, record_offset, len }
);
