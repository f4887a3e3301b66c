//! The kernels as operations on burn tensors, a row each. Which backend runs them is the tensors' business.
//!
//! A row says what a kernel reads, which struct of `params.rs` holds its numbers, what it writes into and gives back,
//! which size cannot be read off the tensors, and what comes out. No operation is differentiable: training uses the
//! reference forward.

#![allow(unused_parens, reason = "rows name what comes out in parentheses, be it one tensor or several")]
#![allow(clippy::too_many_arguments, reason = "a kernel has as many as it has buffers")]

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use crate::kernel::{Kernel, Output, kernels, tensors};
use crate::params::{
    AloneParams, AttentionParams, ExpertParams, GateParams, HeadParams, LinearParams, LossParams, OrderParams,
    QkvParams, RecordParams, RowParams, SlotParams,
};

kernels! {
    /// Rows of `table` (`[vocabulary, d_model]`) for `ids` (`[tokens]`): `[tokens, d_model]`.
    EMBED = embed(ids: IntTensor<1>, table: FloatTensor<2>) with RowParams -> (FloatTensor<2>);

    /// Root-mean-square norm of `x` (`[tokens, d_model]`) with `gain` (`[d_model]`).
    RMS_NORM = rms_norm(x: FloatTensor<2>, gain: FloatTensor<1>) with RowParams -> (FloatTensor<2>);

    /// `x · weight`: `[tokens, d_in]` times `[d_in, d_out]`.
    LINEAR = linear(x: FloatTensor<2>, weight: FloatTensor<2>) with LinearParams -> (FloatTensor<2>);

    /// Rotates queries and keys and writes keys and values into the cache. Gives the cache back, and the queries,
    /// `[tokens, d_queries]`.
    ROPE_CACHE = rope_cache(qkv: FloatTensor<2>, angles: FloatTensor<3>)
        with AttentionParams, into cache: FloatTensor<3>, given d_queries -> (FloatTensor<3>, FloatTensor<2>);

    /// Norm, queries, keys and values of `x` (`[tokens, d_model]`), rotated, in one launch: `rms_norm`, `linear` and
    /// `rope_cache`. Gives the cache back, and the queries, `[tokens, d_queries]`.
    PROJECT_QKV = project_qkv(x: FloatTensor<2>, gain: FloatTensor<1>, weight: FloatTensor<2>, angles: FloatTensor<3>)
        with QkvParams, into cache: FloatTensor<3>, given d_queries -> (FloatTensor<3>, FloatTensor<2>);

    /// Causal attention of `queries` (`[tokens, heads · d_head]`) over the cache.
    ATTENTION = attention(queries: FloatTensor<2>, cache: FloatTensor<3>)
        with AttentionParams, given d_head -> (FloatTensor<2>);

    /// `residual + x · weight`.
    LINEAR_ADD = linear_add(x: FloatTensor<2>, weight: FloatTensor<2>, residual: FloatTensor<2>)
        with LinearParams -> (FloatTensor<2>);

    /// Gate logits, the `k` chosen experts and their weights as routing rows, `[tokens, experts + 4 k]`.
    GATE_TOP_K = gate_top_k(x: FloatTensor<2>, gate: FloatTensor<2>) with GateParams, given k -> (FloatTensor<2>);

    /// Tokens in order of falling confidence, `[tokens]`.
    TOKEN_ORDER = token_order(routing: FloatTensor<2>) with OrderParams -> (IntTensor<1>);

    /// Fills in the slots of routing rows, which are given back. `taken`: those that earlier tokens of the group have,
    /// `[layers · experts]`.
    ASSIGN_SLOTS = assign_slots(order: IntTensor<1>, draws: FloatTensor<1>, taken: IntTensor<1>)
        with SlotParams, into routing: FloatTensor<2>, given num_experts -> (FloatTensor<2>);

    /// Norm, gate, top-k and slots of tokens that share these with no other of the pass, in one launch: `rms_norm`,
    /// `gate_top_k`, `assign_slots` and `record`. Gives the record back, the rows of `x` normed, and the routing rows,
    /// `[tokens, experts + 4 k]`.
    ROUTE_ALONE = route_alone(
        x: FloatTensor<2>, gain: FloatTensor<1>, gate: FloatTensor<2>, draws: FloatTensor<1>, taken: IntTensor<1>
    ) with AloneParams, into record: FloatTensor<1>, given k -> (FloatTensor<1>, FloatTensor<2>, FloatTensor<2>);

    /// SwiGLU hidden values of every kept request, `[tokens · k, d_expert]`.
    EXPERT_UP = expert_up(x: FloatTensor<2>, routing: FloatTensor<2>, w_gate: FloatTensor<3>, w_up: FloatTensor<3>)
        with ExpertParams, given num_requests -> (FloatTensor<2>);

    /// Weighted sum of the kept experts' outputs on top of `residual`, `[tokens, d_model]`.
    EXPERT_DOWN = expert_down(
        hidden: FloatTensor<2>, routing: FloatTensor<2>, w_down: FloatTensor<3>, residual: FloatTensor<2>
    ) with ExpertParams -> (FloatTensor<2>);

    /// Norm of `x` and its product with `weight` (`[d_model, vocabulary]`), `rms_norm` and `linear`, as logits in
    /// `record`, which is given back.
    HEAD = head(x: FloatTensor<2>, gain: FloatTensor<1>, weight: FloatTensor<2>)
        with HeadParams, into record: FloatTensor<1> -> (FloatTensor<1>);

    /// Loss of each token's successor in nats, `[tokens]`.
    TOKEN_LOSS = token_loss(logits: FloatTensor<2>, targets: IntTensor<1>) with LossParams -> (FloatTensor<1>);

    /// Copies `len` numbers of `source` into `record`, which is given back.
    RECORD = record<D>(source: FloatTensor<D>) with RecordParams, into record: FloatTensor<1>, given len
        -> (FloatTensor<1>);
}

/// `[len]` whole numbers on a device, as the kernels read them.
pub fn int_tensor(values: Vec<i32>, device: &Device) -> Tensor<1, Int> {
    let len = values.len();
    Tensor::from_data(TensorData::new(values, [len]), (device, DType::I32))
}
