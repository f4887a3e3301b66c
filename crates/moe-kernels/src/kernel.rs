//! Every kernel by name, with its WGSL source and the fields of its parameters.

use crate::params::{
    AttentionParams, ExpertParams, GateParams, LinearParams, LossParams, OrderParams, RecordParams, RowParams,
    SlotParams,
};

/// A compute kernel as it lies in `shaders/`: entry point `main`, workgroups of 64 in one dimension.
#[derive(Debug, Clone, Copy)]
pub struct Kernel {
    pub name: &'static str,
    pub wgsl: &'static str,
    /// Storage buffers in group 0, in order of binding.
    pub num_bindings: usize,
    /// Members of the WGSL struct `Params`, all `u32`.
    pub params: &'static [&'static str],
}

/// Invocations per workgroup, for every kernel.
pub const WORKGROUP_SIZE: u32 = 64;

macro_rules! kernels {
    ($($constant:ident = $name:literal, $num_bindings:literal, $params:ident;)+) => {
        $(
            #[doc = concat!("`shaders/", $name, ".wgsl`")]
            pub const $constant: Kernel = Kernel {
                name: $name,
                wgsl: include_str!(concat!("../../../shaders/", $name, ".wgsl")),
                num_bindings: $num_bindings,
                params: $params::FIELDS,
            };
        )+

        /// All kernels, in the order in which a step runs them.
        pub const ALL: &[Kernel] = &[$($constant),+];
    };
}

kernels! {
    EMBED = "embed", 4, RowParams;
    RMS_NORM = "rms_norm", 4, RowParams;
    LINEAR = "linear", 4, LinearParams;
    ROPE_CACHE = "rope_cache", 5, AttentionParams;
    ATTENTION = "attention", 4, AttentionParams;
    LINEAR_ADD = "linear_add", 5, LinearParams;
    GATE_TOP_K = "gate_top_k", 4, GateParams;
    TOKEN_ORDER = "token_order", 3, OrderParams;
    ASSIGN_SLOTS = "assign_slots", 4, SlotParams;
    EXPERT_UP = "expert_up", 6, ExpertParams;
    EXPERT_DOWN = "expert_down", 6, ExpertParams;
    TOKEN_LOSS = "token_loss", 4, LossParams;
    RECORD = "record", 3, RecordParams;
}
