//! The kernels on the CPU: the twins over the tensors' own memory.

use burn::backend::{Flex, TensorMetadata};
use burn::tensor::TensorData;

use crate::cpu;
use crate::ops::MoeOps;
use crate::params::{
    AttentionParams, ExpertParams, GateParams, LinearParams, LossParams, OrderParams, RecordParams, RowParams,
    SlotParams,
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
    fn embed(ids: FlexTensor, table: FlexTensor, params: FlexTensor) -> FlexTensor {
        let params = RowParams::from_words(ints(&params));
        filled([dim(&ids, 0), dim(&table, 1)], |x| cpu::embed::embed(ints(&ids), floats(&table), params, x))
    }

    fn rms_norm(x: FlexTensor, gain: FlexTensor, params: FlexTensor) -> FlexTensor {
        let params = RowParams::from_words(ints(&params));
        filled([dim(&x, 0), dim(&x, 1)], |y| cpu::rms_norm::rms_norm(floats(&x), floats(&gain), params, y))
    }

    fn linear(x: FlexTensor, weight: FlexTensor, params: FlexTensor) -> FlexTensor {
        let params = LinearParams::from_words(ints(&params));
        filled([dim(&x, 0), dim(&weight, 1)], |y| cpu::linear::linear(floats(&x), floats(&weight), params, y))
    }

    fn linear_add(x: FlexTensor, weight: FlexTensor, residual: FlexTensor, params: FlexTensor) -> FlexTensor {
        let params = LinearParams::from_words(ints(&params));
        filled([dim(&x, 0), dim(&weight, 1)], |y| {
            cpu::linear_add::linear_add(floats(&x), floats(&weight), floats(&residual), params, y);
        })
    }

    fn rope_cache(
        qkv: FlexTensor,
        angles: FlexTensor,
        params: FlexTensor,
        mut cache: FlexTensor,
        d_queries: usize,
    ) -> (FlexTensor, FlexTensor) {
        let params = AttentionParams::from_words(ints(&params));
        let rows = cache.storage_mut();
        let queries = filled([dim(&qkv, 0), d_queries], |queries| {
            cpu::rope_cache::rope_cache(floats(&qkv), floats(&angles), params, rows, queries);
        });
        (cache, queries)
    }

    fn attention(queries: FlexTensor, cache: FlexTensor, params: FlexTensor, _d_head: usize) -> FlexTensor {
        let params = AttentionParams::from_words(ints(&params));
        filled([dim(&queries, 0), dim(&queries, 1)], |y| {
            cpu::attention::attention(floats(&queries), floats(&cache), params, y);
        })
    }

    fn gate_top_k(x: FlexTensor, gate: FlexTensor, params: FlexTensor, k: usize) -> FlexTensor {
        let params = GateParams::from_words(ints(&params));
        filled([dim(&x, 0), routing_width(dim(&gate, 1), k)], |routing| {
            cpu::gate_top_k::gate_top_k(floats(&x), floats(&gate), params, routing);
        })
    }

    fn token_order(routing: FlexTensor, params: FlexTensor) -> FlexTensor {
        let params = OrderParams::from_words(ints(&params));
        let mut order = vec![0; dim(&routing, 0)];
        cpu::token_order::token_order(floats(&routing), params, &mut order);
        let len = order.len();
        FlexTensor::from_data(TensorData::new(order, [len]))
    }

    fn assign_slots(
        order: FlexTensor,
        draws: FlexTensor,
        taken: FlexTensor,
        params: FlexTensor,
        mut routing: FlexTensor,
        _num_experts: usize,
    ) -> FlexTensor {
        let params = SlotParams::from_words(ints(&params));
        cpu::assign_slots::assign_slots(ints(&order), floats(&draws), ints(&taken), params, routing.storage_mut());
        routing
    }

    fn expert_up(
        x: FlexTensor,
        routing: FlexTensor,
        w_gate: FlexTensor,
        w_up: FlexTensor,
        params: FlexTensor,
        num_requests: usize,
    ) -> FlexTensor {
        let params = ExpertParams::from_words(ints(&params));
        filled([num_requests, dim(&w_gate, 2)], |hidden| {
            cpu::expert_up::expert_up(floats(&x), floats(&routing), floats(&w_gate), floats(&w_up), params, hidden);
        })
    }

    fn expert_down(
        hidden: FlexTensor,
        routing: FlexTensor,
        w_down: FlexTensor,
        residual: FlexTensor,
        params: FlexTensor,
    ) -> FlexTensor {
        let params = ExpertParams::from_words(ints(&params));
        filled([dim(&residual, 0), dim(&residual, 1)], |y| {
            let (hidden, routing) = (floats(&hidden), floats(&routing));
            cpu::expert_down::expert_down(hidden, routing, floats(&w_down), floats(&residual), params, y);
        })
    }

    fn token_loss(logits: FlexTensor, targets: FlexTensor, params: FlexTensor) -> FlexTensor {
        let params = LossParams::from_words(ints(&params));
        filled([dim(&logits, 0)], |loss| {
            cpu::token_loss::token_loss(floats(&logits), ints(&targets), params, loss);
        })
    }

    fn record(source: FlexTensor, params: FlexTensor, mut record: FlexTensor, _len: usize) -> FlexTensor {
        let params = RecordParams::from_words(ints(&params));
        cpu::record::record(floats(&source), params, record.storage_mut());
        record
    }
}
