//! The kernels on a GPU: their WGSL, launched on burn's own device and queue.

use burn::backend::TensorMetadata;
use burn::tensor::{DType, Shape};
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::template::{KernelSource, SourceKernel, SourceTemplate};
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::{CubeCount, CubeDim, KernelId};
use cubecl::server::{KernelArguments, MetadataBindingInfo};

use crate::kernel::{Kernel, WORKGROUP_SIZE};
use crate::ops::{self, MoeOps};
use crate::params::{
    AloneParams, AttentionParams, ExpertParams, GateParams, HeadParams, LinearParams, LossParams, OrderParams,
    QkvParams, RecordParams, RowParams, SlotParams,
};
use crate::routing_width;

/// A kernel's text, as cubecl wants it.
struct Source(Kernel);

impl KernelSource for Source {
    fn source(&self) -> SourceTemplate {
        SourceTemplate::new(self.0.wgsl)
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Source>().info(self.0.name)
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}

/// Runs a kernel with `invocations` invocations; its numbers, and its buffers in order of binding.
///
/// The numbers go as what cubecl calls info: a uniform it keeps by content, and uploads without ending the submission that
/// is being filled, as the upload of a tensor would.
fn launch(kernel: Kernel, invocations: usize, params: &[u32], buffers: &[&CubeTensor]) {
    debug_assert_eq!(buffers.len(), kernel.num_buffers, "{} has other buffers", kernel.name);
    let word = |at: usize| u64::from(params.get(at).copied().unwrap_or(0));
    let info = (0..params.len()).step_by(2).map(|at| word(at) | (word(at + 1) << 32)).collect();
    let arguments = buffers
        .iter()
        .fold(KernelArguments::new(), |arguments, buffer| arguments.with_buffer(buffer.handle.clone().binding()))
        .with_info(MetadataBindingInfo::custom(info));
    let workgroups = (invocations as u32).div_ceil(WORKGROUP_SIZE);
    let source = SourceKernel::new(Source(kernel), CubeDim::new_1d(WORKGROUP_SIZE));
    buffers[0].client.launch(Box::new(source), CubeCount::Static(workgroups, 1, 1), arguments);
}

/// Runs a kernel with a workgroup for each of `num_rows` rows.
fn launch_by_row(kernel: Kernel, num_rows: usize, params: &[u32], buffers: &[&CubeTensor]) {
    launch(kernel, num_rows * WORKGROUP_SIZE as usize, params, buffers);
}

/// An uninitialised tensor beside another one.
fn empty_like(other: &CubeTensor, shape: impl Into<Shape>, dtype: DType) -> CubeTensor {
    empty_device_contiguous_dtype(other.client.clone(), other.device.clone(), shape.into(), dtype)
}

fn dim(tensor: &CubeTensor, axis: usize) -> usize {
    tensor.shape()[axis]
}

impl MoeOps for CubeBackend {
    fn embed(ids: CubeTensor, table: CubeTensor, params: RowParams) -> CubeTensor {
        let table = into_contiguous(table);
        let (num_tokens, d_model) = (dim(&ids, 0), dim(&table, 1));
        let x = empty_like(&table, [num_tokens, d_model], DType::F32);
        launch(ops::EMBED, num_tokens * d_model, &params.to_words(), &[&ids, &table, &x]);
        x
    }

    fn rms_norm(x: CubeTensor, gain: CubeTensor, params: RowParams) -> CubeTensor {
        let x = into_contiguous(x);
        let y = empty_like(&x, x.shape(), DType::F32);
        launch(ops::RMS_NORM, dim(&x, 0), &params.to_words(), &[&x, &gain, &y]);
        y
    }

    fn linear(x: CubeTensor, weight: CubeTensor, params: LinearParams) -> CubeTensor {
        let (x, weight) = (into_contiguous(x), into_contiguous(weight));
        let (num_tokens, d_out) = (dim(&x, 0), dim(&weight, 1));
        let y = empty_like(&x, [num_tokens, d_out], DType::F32);
        launch(ops::LINEAR, num_tokens * d_out, &params.to_words(), &[&x, &weight, &y]);
        y
    }

    fn linear_add(x: CubeTensor, weight: CubeTensor, residual: CubeTensor, params: LinearParams) -> CubeTensor {
        let (x, weight, residual) = (into_contiguous(x), into_contiguous(weight), into_contiguous(residual));
        let (num_tokens, d_out) = (dim(&x, 0), dim(&weight, 1));
        let y = empty_like(&x, [num_tokens, d_out], DType::F32);
        launch(ops::LINEAR_ADD, num_tokens * d_out, &params.to_words(), &[&x, &weight, &residual, &y]);
        y
    }

    fn rope_cache(
        qkv: CubeTensor,
        angles: CubeTensor,
        params: AttentionParams,
        cache: CubeTensor,
        d_queries: usize,
    ) -> (CubeTensor, CubeTensor) {
        let qkv = into_contiguous(qkv);
        let num_tokens = dim(&qkv, 0);
        let queries = empty_like(&qkv, [num_tokens, d_queries], DType::F32);
        launch(ops::ROPE_CACHE, num_tokens * dim(&qkv, 1) / 2, &params.to_words(), &[&qkv, &angles, &cache, &queries]);
        (cache, queries)
    }

    fn project_qkv(
        x: CubeTensor,
        gain: CubeTensor,
        weight: CubeTensor,
        angles: CubeTensor,
        params: QkvParams,
        cache: CubeTensor,
        d_queries: usize,
    ) -> (CubeTensor, CubeTensor) {
        let (x, weight) = (into_contiguous(x), into_contiguous(weight));
        let num_tokens = dim(&x, 0);
        let queries = empty_like(&x, [num_tokens, d_queries], DType::F32);
        let buffers = [&x, &gain, &weight, &angles, &cache, &queries];
        launch(ops::PROJECT_QKV, num_tokens * dim(&weight, 1) / 2, &params.to_words(), &buffers);
        (cache, queries)
    }

    fn attention(queries: CubeTensor, cache: CubeTensor, params: AttentionParams, d_head: usize) -> CubeTensor {
        let y = empty_like(&queries, queries.shape(), DType::F32);
        let num_rows = dim(&queries, 0) * dim(&queries, 1) / d_head;
        launch_by_row(ops::ATTENTION, num_rows, &params.to_words(), &[&queries, &cache, &y]);
        y
    }

    fn gate_top_k(x: CubeTensor, gate: CubeTensor, params: GateParams, k: usize) -> CubeTensor {
        let (x, gate) = (into_contiguous(x), into_contiguous(gate));
        let (num_tokens, num_experts) = (dim(&x, 0), dim(&gate, 1));
        let routing = empty_like(&x, [num_tokens, routing_width(num_experts, k)], DType::F32);
        launch(ops::GATE_TOP_K, num_tokens, &params.to_words(), &[&x, &gate, &routing]);
        routing
    }

    fn token_order(routing: CubeTensor, params: OrderParams) -> CubeTensor {
        let num_tokens = dim(&routing, 0);
        let order = empty_like(&routing, [num_tokens], DType::I32);
        launch(ops::TOKEN_ORDER, num_tokens, &params.to_words(), &[&routing, &order]);
        order
    }

    fn assign_slots(
        order: CubeTensor,
        draws: CubeTensor,
        taken: CubeTensor,
        params: SlotParams,
        routing: CubeTensor,
        num_experts: usize,
    ) -> CubeTensor {
        launch(ops::ASSIGN_SLOTS, num_experts, &params.to_words(), &[&order, &draws, &taken, &routing]);
        routing
    }

    fn route_alone(
        x: CubeTensor,
        gain: CubeTensor,
        gate: CubeTensor,
        draws: CubeTensor,
        taken: CubeTensor,
        params: AloneParams,
        record: CubeTensor,
        k: usize,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        let (x, gate) = (into_contiguous(x), into_contiguous(gate));
        let (num_tokens, num_experts) = (dim(&x, 0), dim(&gate, 1));
        let normed = empty_like(&x, x.shape(), DType::F32);
        let routing = empty_like(&x, [num_tokens, routing_width(num_experts, k)], DType::F32);
        let buffers = [&x, &gain, &gate, &draws, &taken, &record, &normed, &routing];
        launch_by_row(ops::ROUTE_ALONE, num_tokens, &params.to_words(), &buffers);
        (record, normed, routing)
    }

    fn expert_up(
        x: CubeTensor,
        routing: CubeTensor,
        w_gate: CubeTensor,
        w_up: CubeTensor,
        params: ExpertParams,
        num_requests: usize,
    ) -> CubeTensor {
        let (x, w_gate, w_up) = (into_contiguous(x), into_contiguous(w_gate), into_contiguous(w_up));
        let d_expert = dim(&w_gate, 2);
        let hidden = empty_like(&x, [num_requests, d_expert], DType::F32);
        launch(ops::EXPERT_UP, num_requests * d_expert, &params.to_words(), &[&x, &routing, &w_gate, &w_up, &hidden]);
        hidden
    }

    fn expert_down(
        hidden: CubeTensor,
        routing: CubeTensor,
        w_down: CubeTensor,
        residual: CubeTensor,
        params: ExpertParams,
    ) -> CubeTensor {
        let (w_down, residual) = (into_contiguous(w_down), into_contiguous(residual));
        let y = empty_like(&residual, residual.shape(), DType::F32);
        let len = dim(&residual, 0) * dim(&residual, 1);
        launch(ops::EXPERT_DOWN, len, &params.to_words(), &[&hidden, &routing, &w_down, &residual, &y]);
        y
    }

    fn head(x: CubeTensor, gain: CubeTensor, weight: CubeTensor, params: HeadParams, record: CubeTensor) -> CubeTensor {
        let (x, weight) = (into_contiguous(x), into_contiguous(weight));
        launch(ops::HEAD, dim(&x, 0) * dim(&weight, 1), &params.to_words(), &[&x, &gain, &weight, &record]);
        record
    }

    fn token_loss(logits: CubeTensor, targets: CubeTensor, params: LossParams) -> CubeTensor {
        let num_tokens = dim(&logits, 0);
        let loss = empty_like(&logits, [num_tokens], DType::F32);
        launch(ops::TOKEN_LOSS, num_tokens, &params.to_words(), &[&logits, &targets, &loss]);
        loss
    }

    fn record(source: CubeTensor, params: RecordParams, record: CubeTensor, len: usize) -> CubeTensor {
        launch(ops::RECORD, len, &params.to_words(), &[&source, &record]);
        record
    }
}
