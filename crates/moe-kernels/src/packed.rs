//! The operations on burn tensors whose matrices stay 8 bit. Only the CPU has them; a GPU reads f32.
//!
//! No operation is differentiable, as those of `ops.rs`.

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Dispatch, Flex, backend_extension};
use burn::tensor::{Int, Tensor};

use crate::cpu::packed::{self, PackedExperts, PackedMatrix};
use crate::flex::{FlexTensor, dim, filled, floats, ints};

/// Shapes as in the functions below.
#[backend_extension(Flex)]
pub trait PackedOps: Backend {
    fn embed_packed(ids: IntTensor<Self>, head: &PackedMatrix) -> FloatTensor<Self>;

    fn linear_packed(x: FloatTensor<Self>, matrix: &PackedMatrix) -> FloatTensor<Self>;

    fn linear_add_packed(x: FloatTensor<Self>, matrix: &PackedMatrix, residual: FloatTensor<Self>)
    -> FloatTensor<Self>;

    fn expert_up_packed(x: FloatTensor<Self>, routing: FloatTensor<Self>, experts: &PackedExperts)
    -> FloatTensor<Self>;

    fn expert_down_packed(
        hidden: FloatTensor<Self>,
        routing: FloatTensor<Self>,
        experts: &PackedExperts,
        residual: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

/// Of each id of `ids` (`[tokens]`) its column of `head` (`[d_model, vocabulary]`), as stored: `[tokens, d_model]`.
pub fn embed(ids: &Tensor<1, Int>, head: &PackedMatrix) -> Tensor<2> {
    Tensor::from_dispatch(<Dispatch as PackedOps>::embed_packed(ids.clone().into_dispatch(), head))
}

/// `x · matrix`: `[tokens, d_in]` times `[d_in, d_out]`.
pub fn linear(x: &Tensor<2>, matrix: &PackedMatrix) -> Tensor<2> {
    Tensor::from_dispatch(<Dispatch as PackedOps>::linear_packed(x.clone().into_dispatch(), matrix))
}

/// `residual + x · matrix`.
pub fn linear_add(x: &Tensor<2>, matrix: &PackedMatrix, residual: &Tensor<2>) -> Tensor<2> {
    let (x, residual) = (x.clone().into_dispatch(), residual.clone().into_dispatch());
    Tensor::from_dispatch(<Dispatch as PackedOps>::linear_add_packed(x, matrix, residual))
}

/// SwiGLU hidden values of every kept request, `[tokens · k, d_expert]`. `x`: `[tokens, d_model]`; `routing`:
/// `[tokens, experts + 4 k]`.
pub fn expert_up(x: &Tensor<2>, routing: &Tensor<2>, experts: &PackedExperts) -> Tensor<2> {
    let (x, routing) = (x.clone().into_dispatch(), routing.clone().into_dispatch());
    Tensor::from_dispatch(<Dispatch as PackedOps>::expert_up_packed(x, routing, experts))
}

/// Weighted sum of the kept experts' outputs on top of `residual`, `[tokens, d_model]`.
pub fn expert_down(
    hidden: &Tensor<2>,
    routing: &Tensor<2>,
    experts: &PackedExperts,
    residual: &Tensor<2>,
) -> Tensor<2> {
    let (hidden, routing) = (hidden.clone().into_dispatch(), routing.clone().into_dispatch());
    let residual = residual.clone().into_dispatch();
    Tensor::from_dispatch(<Dispatch as PackedOps>::expert_down_packed(hidden, routing, experts, residual))
}

impl PackedOps for Flex {
    fn embed_packed(ids: FlexTensor, head: &PackedMatrix) -> FlexTensor {
        filled([dim(&ids, 0), head.d_in], |x| {
            for (&id, row) in ints(&ids).iter().zip(x.chunks_exact_mut(head.d_in)) {
                head.read_column(id as usize, row);
            }
        })
    }

    fn linear_packed(x: FlexTensor, matrix: &PackedMatrix) -> FlexTensor {
        filled([dim(&x, 0), matrix.d_out], |y| packed::add_matrix_times_packed(floats(&x), matrix, y))
    }

    fn linear_add_packed(x: FlexTensor, matrix: &PackedMatrix, residual: FlexTensor) -> FlexTensor {
        filled([dim(&x, 0), matrix.d_out], |y| {
            y.copy_from_slice(floats(&residual));
            packed::add_matrix_times_packed(floats(&x), matrix, y);
        })
    }

    fn expert_up_packed(x: FlexTensor, routing: FlexTensor, experts: &PackedExperts) -> FlexTensor {
        let params = experts.params(dim(&routing, 0), dim(&routing, 1));
        filled([(params.num_tokens * params.k) as usize, params.d_expert as usize], |hidden| {
            packed::expert_up(floats(&x), floats(&routing), experts, params, hidden);
        })
    }

    fn expert_down_packed(
        hidden: FlexTensor,
        routing: FlexTensor,
        experts: &PackedExperts,
        residual: FlexTensor,
    ) -> FlexTensor {
        let params = experts.params(dim(&routing, 0), dim(&routing, 1));
        filled([dim(&residual, 0), dim(&residual, 1)], |y| {
            packed::expert_down(floats(&hidden), floats(&routing), experts, floats(&residual), params, y);
        })
    }
}
