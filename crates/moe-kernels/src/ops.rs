//! The kernels as operations on burn tensors. Which backend runs them is the tensors' business.
//!
//! Parameter tensors hold the words of the struct named in each operation's documentation, as `i32`; make them with
//! [`params_tensor`]. Operations that write into a buffer take it and give it back. None is differentiable: training
//! uses the reference forward.

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::{DType, Device, Int, Tensor, TensorData};

/// The kernels, one method each, for every backend that can run them. Shapes as in `cpu/<name>.rs`.
///
/// `d_queries`, `d_head`, `k`, `num_…` and `len` are sizes that cannot be read off the tensors.
#[backend_extension(Cube, Flex)]
pub trait MoeOps: Backend {
    fn moe_embed(ids: IntTensor<Self>, table: FloatTensor<Self>, params: IntTensor<Self>) -> FloatTensor<Self>;

    fn moe_rms_norm(x: FloatTensor<Self>, gain: FloatTensor<Self>, params: IntTensor<Self>) -> FloatTensor<Self>;

    fn moe_linear(x: FloatTensor<Self>, weight: FloatTensor<Self>, params: IntTensor<Self>) -> FloatTensor<Self>;

    fn moe_linear_add(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        params: IntTensor<Self>,
    ) -> FloatTensor<Self>;

    fn moe_rope_cache(
        qkv: FloatTensor<Self>,
        angles: FloatTensor<Self>,
        params: IntTensor<Self>,
        cache: FloatTensor<Self>,
        d_queries: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    fn moe_attention(
        queries: FloatTensor<Self>,
        cache: FloatTensor<Self>,
        params: IntTensor<Self>,
        d_head: usize,
    ) -> FloatTensor<Self>;

    fn moe_gate_top_k(
        x: FloatTensor<Self>,
        gate: FloatTensor<Self>,
        params: IntTensor<Self>,
        k: usize,
    ) -> FloatTensor<Self>;

    fn moe_token_order(routing: FloatTensor<Self>, params: IntTensor<Self>) -> IntTensor<Self>;

    fn moe_assign_slots(
        order: IntTensor<Self>,
        draws: FloatTensor<Self>,
        params: IntTensor<Self>,
        routing: FloatTensor<Self>,
        num_experts: usize,
    ) -> FloatTensor<Self>;

    fn moe_expert_up(
        x: FloatTensor<Self>,
        routing: FloatTensor<Self>,
        w_gate: FloatTensor<Self>,
        w_up: FloatTensor<Self>,
        params: IntTensor<Self>,
        num_requests: usize,
    ) -> FloatTensor<Self>;

    fn moe_expert_down(
        hidden: FloatTensor<Self>,
        routing: FloatTensor<Self>,
        w_down: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        params: IntTensor<Self>,
    ) -> FloatTensor<Self>;

    fn moe_token_loss(
        logits: FloatTensor<Self>,
        targets: IntTensor<Self>,
        params: IntTensor<Self>,
    ) -> FloatTensor<Self>;

    fn moe_record(
        source: FloatTensor<Self>,
        params: IntTensor<Self>,
        record: FloatTensor<Self>,
        len: usize,
    ) -> FloatTensor<Self>;
}

/// A parameter tensor on a device.
pub fn params_tensor(words: Vec<i32>, device: &Device) -> Tensor<1, Int> {
    int_tensor(words, device)
}

/// `[len]` whole numbers on a device, as the kernels read them.
pub fn int_tensor(values: Vec<i32>, device: &Device) -> Tensor<1, Int> {
    let len = values.len();
    Tensor::from_data(TensorData::new(values, [len]), (device, DType::I32))
}

/// Rows of `table` (`[vocabulary, d_model]`) for `ids` (`[tokens]`): `[tokens, d_model]`. Parameters: `RowParams`.
pub fn embed(ids: &Tensor<1, Int>, table: &Tensor<2>, params: &Tensor<1, Int>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::moe_embed(
        ids.clone().into_dispatch(),
        table.clone().into_dispatch(),
        params.clone().into_dispatch(),
    ))
}

/// Root-mean-square norm of `x` (`[tokens, d_model]`) with `gain` (`[d_model]`). Parameters: `RowParams`.
pub fn rms_norm(x: &Tensor<2>, gain: &Tensor<1>, params: &Tensor<1, Int>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::moe_rms_norm(
        x.clone().into_dispatch(),
        gain.clone().into_dispatch(),
        params.clone().into_dispatch(),
    ))
}

/// `x · weight`: `[tokens, d_in]` times `[d_in, d_out]`. Parameters: `LinearParams`.
pub fn linear(x: &Tensor<2>, weight: &Tensor<2>, params: &Tensor<1, Int>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::moe_linear(
        x.clone().into_dispatch(),
        weight.clone().into_dispatch(),
        params.clone().into_dispatch(),
    ))
}

/// `residual + x · weight`. Parameters: `LinearParams`.
pub fn linear_add(x: &Tensor<2>, weight: &Tensor<2>, residual: &Tensor<2>, params: &Tensor<1, Int>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::moe_linear_add(
        x.clone().into_dispatch(),
        weight.clone().into_dispatch(),
        residual.clone().into_dispatch(),
        params.clone().into_dispatch(),
    ))
}

/// Rotates queries and keys and writes keys and values into the cache. Gives the cache back, and the queries,
/// `[tokens, d_queries]`. Parameters: `AttentionParams`.
pub fn rope_cache(
    qkv: Tensor<2>,
    angles: &Tensor<3>,
    params: &Tensor<1, Int>,
    cache: Tensor<3>,
    d_queries: usize,
) -> (Tensor<3>, Tensor<2>) {
    let (cache, queries) = Dispatch::moe_rope_cache(
        qkv.into_dispatch(),
        angles.clone().into_dispatch(),
        params.clone().into_dispatch(),
        cache.into_dispatch(),
        d_queries,
    );
    (Tensor::from_dispatch(cache), Tensor::from_dispatch(queries))
}

/// Causal attention of `queries` (`[tokens, heads · d_head]`) over the cache. Parameters: `AttentionParams`.
pub fn attention(queries: Tensor<2>, cache: &Tensor<3>, params: &Tensor<1, Int>, d_head: usize) -> Tensor<2> {
    let (queries, cache) = (queries.into_dispatch(), cache.clone().into_dispatch());
    Tensor::from_dispatch(Dispatch::moe_attention(queries, cache, params.clone().into_dispatch(), d_head))
}

/// Gate logits, the `k` chosen experts and their weights as routing rows, `[tokens, experts + 4 k]`.
/// Parameters: `GateParams`.
pub fn gate_top_k(x: &Tensor<2>, gate: &Tensor<2>, params: &Tensor<1, Int>, k: usize) -> Tensor<2> {
    let (x, gate) = (x.clone().into_dispatch(), gate.clone().into_dispatch());
    Tensor::from_dispatch(Dispatch::moe_gate_top_k(x, gate, params.clone().into_dispatch(), k))
}

/// Tokens in order of falling confidence, `[tokens]`. Parameters: `OrderParams`.
pub fn token_order(routing: &Tensor<2>, params: &Tensor<1, Int>) -> Tensor<1, Int> {
    let routing = routing.clone().into_dispatch();
    Tensor::from_dispatch(Dispatch::moe_token_order(routing, params.clone().into_dispatch()))
}

/// Fills in the slots of routing rows. Parameters: `SlotParams`.
pub fn assign_slots(
    order: &Tensor<1, Int>,
    draws: &Tensor<1>,
    params: &Tensor<1, Int>,
    routing: Tensor<2>,
    num_experts: usize,
) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::moe_assign_slots(
        order.clone().into_dispatch(),
        draws.clone().into_dispatch(),
        params.clone().into_dispatch(),
        routing.into_dispatch(),
        num_experts,
    ))
}

/// SwiGLU hidden values of every kept request, `[tokens · k, d_expert]`. Parameters: `ExpertParams`.
pub fn expert_up(
    x: &Tensor<2>,
    routing: &Tensor<2>,
    w_gate: &Tensor<3>,
    w_up: &Tensor<3>,
    params: &Tensor<1, Int>,
    num_requests: usize,
) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::moe_expert_up(
        x.clone().into_dispatch(),
        routing.clone().into_dispatch(),
        w_gate.clone().into_dispatch(),
        w_up.clone().into_dispatch(),
        params.clone().into_dispatch(),
        num_requests,
    ))
}

/// Weighted sum of the kept experts' outputs on top of `residual`, `[tokens, d_model]`. Parameters: `ExpertParams`.
pub fn expert_down(
    hidden: Tensor<2>,
    routing: &Tensor<2>,
    w_down: &Tensor<3>,
    residual: &Tensor<2>,
    params: &Tensor<1, Int>,
) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::moe_expert_down(
        hidden.into_dispatch(),
        routing.clone().into_dispatch(),
        w_down.clone().into_dispatch(),
        residual.clone().into_dispatch(),
        params.clone().into_dispatch(),
    ))
}

/// Loss of each token's successor in nats, `[tokens]`. Parameters: `LossParams`.
pub fn token_loss(logits: &Tensor<2>, targets: &Tensor<1, Int>, params: &Tensor<1, Int>) -> Tensor<1> {
    let (logits, targets) = (logits.clone().into_dispatch(), targets.clone().into_dispatch());
    Tensor::from_dispatch(Dispatch::moe_token_loss(logits, targets, params.clone().into_dispatch()))
}

/// Copies `len` numbers of `source` into `record`, which is given back. Parameters: `RecordParams`.
pub fn record<const D: usize>(source: &Tensor<D>, params: &Tensor<1, Int>, record: Tensor<1>, len: usize) -> Tensor<1> {
    let (source, record) = (source.clone().into_dispatch(), record.into_dispatch());
    Tensor::from_dispatch(Dispatch::moe_record(source, params.clone().into_dispatch(), record, len))
}
