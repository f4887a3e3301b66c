//! The kernels on a GPU: their WGSL, launched on burn's own device and queue.

use burn::backend::TensorMetadata;
use burn::tensor::{DType, Shape};
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::template::{KernelSource, SourceKernel, SourceTemplate};
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::{CubeCount, CubeDim, KernelId};
use cubecl::server::KernelArguments;

use crate::kernel::{Kernel, WORKGROUP_SIZE};
use crate::ops::{self, MoeOps};
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

/// Runs a kernel with `invocations` invocations, its buffers in order of binding.
fn launch(kernel: Kernel, invocations: usize, buffers: &[&CubeTensor]) {
    debug_assert_eq!(buffers.len(), kernel.num_bindings, "{} has other bindings", kernel.name);
    let arguments = buffers
        .iter()
        .fold(KernelArguments::new(), |arguments, buffer| arguments.with_buffer(buffer.handle.clone().binding()));
    let workgroups = (invocations as u32).div_ceil(WORKGROUP_SIZE);
    let source = SourceKernel::new(Source(kernel), CubeDim::new_1d(WORKGROUP_SIZE));
    buffers[0].client.launch(Box::new(source), CubeCount::Static(workgroups, 1, 1), arguments);
}

/// An uninitialised tensor beside another one.
fn empty_like(other: &CubeTensor, shape: impl Into<Shape>, dtype: DType) -> CubeTensor {
    empty_device_contiguous_dtype(other.client.clone(), other.device.clone(), shape.into(), dtype)
}

fn dim(tensor: &CubeTensor, axis: usize) -> usize {
    tensor.shape()[axis]
}

impl MoeOps for CubeBackend {
    fn embed(ids: CubeTensor, table: CubeTensor, params: CubeTensor) -> CubeTensor {
        let table = into_contiguous(table);
        let (num_tokens, d_model) = (dim(&ids, 0), dim(&table, 1));
        let x = empty_like(&table, [num_tokens, d_model], DType::F32);
        launch(ops::EMBED, num_tokens * d_model, &[&ids, &table, &params, &x]);
        x
    }

    fn rms_norm(x: CubeTensor, gain: CubeTensor, params: CubeTensor) -> CubeTensor {
        let x = into_contiguous(x);
        let y = empty_like(&x, x.shape(), DType::F32);
        launch(ops::RMS_NORM, dim(&x, 0), &[&x, &gain, &params, &y]);
        y
    }

    fn linear(x: CubeTensor, weight: CubeTensor, params: CubeTensor) -> CubeTensor {
        let (x, weight) = (into_contiguous(x), into_contiguous(weight));
        let (num_tokens, d_out) = (dim(&x, 0), dim(&weight, 1));
        let y = empty_like(&x, [num_tokens, d_out], DType::F32);
        launch(ops::LINEAR, num_tokens * d_out, &[&x, &weight, &params, &y]);
        y
    }

    fn linear_add(x: CubeTensor, weight: CubeTensor, residual: CubeTensor, params: CubeTensor) -> CubeTensor {
        let (x, weight, residual) = (into_contiguous(x), into_contiguous(weight), into_contiguous(residual));
        let (num_tokens, d_out) = (dim(&x, 0), dim(&weight, 1));
        let y = empty_like(&x, [num_tokens, d_out], DType::F32);
        launch(ops::LINEAR_ADD, num_tokens * d_out, &[&x, &weight, &residual, &params, &y]);
        y
    }

    fn rope_cache(
        qkv: CubeTensor,
        angles: CubeTensor,
        params: CubeTensor,
        cache: CubeTensor,
        d_queries: usize,
    ) -> (CubeTensor, CubeTensor) {
        let qkv = into_contiguous(qkv);
        let num_tokens = dim(&qkv, 0);
        let queries = empty_like(&qkv, [num_tokens, d_queries], DType::F32);
        launch(ops::ROPE_CACHE, num_tokens * dim(&qkv, 1) / 2, &[&qkv, &angles, &params, &cache, &queries]);
        (cache, queries)
    }

    fn attention(queries: CubeTensor, cache: CubeTensor, params: CubeTensor, d_head: usize) -> CubeTensor {
        let y = empty_like(&queries, queries.shape(), DType::F32);
        let num_rows = dim(&queries, 0) * dim(&queries, 1) / d_head;
        launch(ops::ATTENTION, num_rows, &[&queries, &cache, &params, &y]);
        y
    }

    fn gate_top_k(x: CubeTensor, gate: CubeTensor, params: CubeTensor, k: usize) -> CubeTensor {
        let (x, gate) = (into_contiguous(x), into_contiguous(gate));
        let (num_tokens, num_experts) = (dim(&x, 0), dim(&gate, 1));
        let routing = empty_like(&x, [num_tokens, routing_width(num_experts, k)], DType::F32);
        launch(ops::GATE_TOP_K, num_tokens, &[&x, &gate, &params, &routing]);
        routing
    }

    fn token_order(routing: CubeTensor, params: CubeTensor) -> CubeTensor {
        let num_tokens = dim(&routing, 0);
        let order = empty_like(&routing, [num_tokens], DType::I32);
        launch(ops::TOKEN_ORDER, num_tokens, &[&routing, &params, &order]);
        order
    }

    fn assign_slots(
        order: CubeTensor,
        draws: CubeTensor,
        taken: CubeTensor,
        params: CubeTensor,
        routing: CubeTensor,
        num_experts: usize,
    ) -> CubeTensor {
        launch(ops::ASSIGN_SLOTS, num_experts, &[&order, &draws, &taken, &params, &routing]);
        routing
    }

    fn expert_up(
        x: CubeTensor,
        routing: CubeTensor,
        w_gate: CubeTensor,
        w_up: CubeTensor,
        params: CubeTensor,
        num_requests: usize,
    ) -> CubeTensor {
        let (x, w_gate, w_up) = (into_contiguous(x), into_contiguous(w_gate), into_contiguous(w_up));
        let d_expert = dim(&w_gate, 2);
        let hidden = empty_like(&x, [num_requests, d_expert], DType::F32);
        launch(ops::EXPERT_UP, num_requests * d_expert, &[&x, &routing, &w_gate, &w_up, &params, &hidden]);
        hidden
    }

    fn expert_down(
        hidden: CubeTensor,
        routing: CubeTensor,
        w_down: CubeTensor,
        residual: CubeTensor,
        params: CubeTensor,
    ) -> CubeTensor {
        let (w_down, residual) = (into_contiguous(w_down), into_contiguous(residual));
        let y = empty_like(&residual, residual.shape(), DType::F32);
        let len = dim(&residual, 0) * dim(&residual, 1);
        launch(ops::EXPERT_DOWN, len, &[&hidden, &routing, &w_down, &residual, &params, &y]);
        y
    }

    fn token_loss(logits: CubeTensor, targets: CubeTensor, params: CubeTensor) -> CubeTensor {
        let num_tokens = dim(&logits, 0);
        let loss = empty_like(&logits, [num_tokens], DType::F32);
        launch(ops::TOKEN_LOSS, num_tokens, &[&logits, &targets, &params, &loss]);
        loss
    }

    fn record(source: CubeTensor, params: CubeTensor, record: CubeTensor, len: usize) -> CubeTensor {
        launch(ops::RECORD, len, &[&source, &params, &record]);
        record
    }
}
