//! The kernels on the CPU: the twins over the tensors' own memory.

use burn::backend::{Flex, TensorMetadata};
use burn::tensor::TensorData;

use crate::cpu;
use crate::ops::MoeOps;
use crate::params::{
    AloneParams, AttentionParams, ExpertParams, GateParams, HeadParams, LinearParams, LossParams, OrderParams,
    QkvParams, RecordParams, RowParams, SlotParams,
};
use crate::routing_width;

pub type FlexTensor = <Flex as burn::backend::BackendTypes>::FloatTensorPrimitive;

/// The numbers of a tensor that is contiguous already, as all of the fused path's are.
pub fn floats(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().expect("the fused path's float tensors are contiguous f32")
}

pub fn ints(tensor: &FlexTensor) -> &[i32] {
    tensor.as_slice().expect("the fused path's int tensors are contiguous i32")
}

/// A tensor of `len` numbers that `fill` writes into zeros.
pub fn filled<const D: usize>(shape: [usize; D], fill: impl FnOnce(&mut [f32])) -> FlexTensor {
    let mut values = vec![0.0; shape.iter().product()];
    fill(&mut values);
    FlexTensor::from_data(TensorData::new(values, shape))
}

pub fn dim(tensor: &FlexTensor, axis: usize) -> usize {
    tensor.shape()[axis]
}

impl MoeOps for Flex {
    fn embed(ids: FlexTensor, table: FlexTensor, params: RowParams) -> FlexTensor {
        filled([dim(&ids, 0), dim(&table, 1)], |x| cpu::embed::embed(ints(&ids), floats(&table), params, x))
    }

    fn rms_norm(x: FlexTensor, gain: FlexTensor, params: RowParams) -> FlexTensor {
        filled([dim(&x, 0), dim(&x, 1)], |y| cpu::rms_norm::rms_norm(floats(&x), floats(&gain), params, y))
    }

    fn linear(x: FlexTensor, weight: FlexTensor, params: LinearParams) -> FlexTensor {
        filled([dim(&x, 0), dim(&weight, 1)], |y| cpu::linear::linear(floats(&x), floats(&weight), params, y))
    }

    fn linear_add(x: FlexTensor, weight: FlexTensor, residual: FlexTensor, params: LinearParams) -> FlexTensor {
        filled([dim(&x, 0), dim(&weight, 1)], |y| {
            cpu::linear_add::linear_add(floats(&x), floats(&weight), floats(&residual), params, y);
        })
    }

    fn rope_cache(
        qkv: FlexTensor,
        angles: FlexTensor,
        params: AttentionParams,
        mut cache: FlexTensor,
        d_queries: usize,
    ) -> (FlexTensor, FlexTensor) {
        let rows = cache.storage_mut();
        let queries = filled([dim(&qkv, 0), d_queries], |queries| {
            cpu::rope_cache::rope_cache(floats(&qkv), floats(&angles), params, rows, queries);
        });
        (cache, queries)
    }

    fn project_qkv(
        x: FlexTensor,
        gain: FlexTensor,
        weight: FlexTensor,
        angles: FlexTensor,
        params: QkvParams,
        mut cache: FlexTensor,
        d_queries: usize,
    ) -> (FlexTensor, FlexTensor) {
        let rows = cache.storage_mut();
        let queries = filled([dim(&x, 0), d_queries], |queries| {
            let (gain, weight) = (floats(&gain), floats(&weight));
            cpu::project_qkv::project_qkv(floats(&x), gain, weight, floats(&angles), params, rows, queries);
        });
        (cache, queries)
    }

    fn attention(queries: FlexTensor, cache: FlexTensor, params: AttentionParams, _d_head: usize) -> FlexTensor {
        filled([dim(&queries, 0), dim(&queries, 1)], |y| {
            cpu::attention::attention(floats(&queries), floats(&cache), params, y);
        })
    }

    fn gate_top_k(x: FlexTensor, gate: FlexTensor, params: GateParams, k: usize) -> FlexTensor {
        filled([dim(&x, 0), routing_width(dim(&gate, 1), k)], |routing| {
            cpu::gate_top_k::gate_top_k(floats(&x), floats(&gate), params, routing);
        })
    }

    fn token_order(routing: FlexTensor, params: OrderParams) -> FlexTensor {
        let mut order = vec![0; dim(&routing, 0)];
        cpu::token_order::token_order(floats(&routing), params, &mut order);
        let len = order.len();
        FlexTensor::from_data(TensorData::new(order, [len]))
    }

    fn assign_slots(
        order: FlexTensor,
        draws: FlexTensor,
        taken: FlexTensor,
        params: SlotParams,
        mut routing: FlexTensor,
        _num_experts: usize,
    ) -> FlexTensor {
        cpu::assign_slots::assign_slots(ints(&order), floats(&draws), ints(&taken), params, routing.storage_mut());
        routing
    }

    fn route_alone(
        x: FlexTensor,
        gain: FlexTensor,
        gate: FlexTensor,
        draws: FlexTensor,
        taken: FlexTensor,
        params: AloneParams,
        mut record: FlexTensor,
        k: usize,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let (num_tokens, num_experts) = (dim(&x, 0), dim(&gate, 1));
        let mut normed = vec![0.0; num_tokens * dim(&x, 1)];
        let rows = record.storage_mut();
        let routing = filled([num_tokens, routing_width(num_experts, k)], |routing| {
            let (gain, gate, draws, taken) = (floats(&gain), floats(&gate), floats(&draws), ints(&taken));
            cpu::route_alone::route_alone(floats(&x), gain, gate, draws, taken, params, rows, &mut normed, routing);
        });
        (record, FlexTensor::from_data(TensorData::new(normed, [num_tokens, dim(&x, 1)])), routing)
    }

    fn expert_up(
        x: FlexTensor,
        routing: FlexTensor,
        w_gate: FlexTensor,
        w_up: FlexTensor,
        params: ExpertParams,
        num_requests: usize,
    ) -> FlexTensor {
        filled([num_requests, dim(&w_gate, 2)], |hidden| {
            cpu::expert_up::expert_up(floats(&x), floats(&routing), floats(&w_gate), floats(&w_up), params, hidden);
        })
    }

    fn expert_down(
        hidden: FlexTensor,
        routing: FlexTensor,
        w_down: FlexTensor,
        residual: FlexTensor,
        params: ExpertParams,
    ) -> FlexTensor {
        filled([dim(&residual, 0), dim(&residual, 1)], |y| {
            let (hidden, routing) = (floats(&hidden), floats(&routing));
            cpu::expert_down::expert_down(hidden, routing, floats(&w_down), floats(&residual), params, y);
        })
    }

    fn head(
        x: FlexTensor,
        gain: FlexTensor,
        weight: FlexTensor,
        params: HeadParams,
        mut record: FlexTensor,
    ) -> FlexTensor {
        cpu::head::head(floats(&x), floats(&gain), floats(&weight), params, record.storage_mut());
        record
    }

    fn token_loss(logits: FlexTensor, targets: FlexTensor, params: LossParams) -> FlexTensor {
        filled([dim(&logits, 0)], |loss| {
            cpu::token_loss::token_loss(floats(&logits), ints(&targets), params, loss);
        })
    }

    fn record(source: FlexTensor, params: RecordParams, mut record: FlexTensor, _len: usize) -> FlexTensor {
        cpu::record::record(floats(&source), params, record.storage_mut());
        record
    }
}
