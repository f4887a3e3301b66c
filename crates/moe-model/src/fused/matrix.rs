//! A matrix on the fused path: f32 on any device, or 8 bit on the CPU.

use burn::tensor::{Int, Tensor};
use moe_kernels::cpu::packed::PackedMatrix;
use moe_kernels::{ops, packed};

use super::params::ParamsCache;

/// `[d_in, d_out]`
#[allow(clippy::large_enum_variant, reason = "there are a few in a layer")]
pub enum Matrix {
    F32(Tensor<2>),
    Packed(PackedMatrix),
}

/// The rows of tokens, and the head that makes logits of a state: one table.
#[allow(clippy::large_enum_variant, reason = "there is one in a model")]
pub enum Vocabulary {
    F32 {
        /// `[vocabulary, d_model]`
        embedding: Tensor<2>,
        /// Its transpose.
        head: Tensor<2>,
    },
    /// `[d_model, vocabulary]`
    Packed(PackedMatrix),
}

impl Matrix {
    /// `x · matrix`, `[tokens, d_out]`.
    pub fn linear(&self, x: &Tensor<2>, params: &mut ParamsCache) -> Tensor<2> {
        match self {
            Matrix::F32(matrix) => linear(x, matrix, params),
            Matrix::Packed(matrix) => packed::linear(x, matrix),
        }
    }

    /// `residual + x · matrix`, `[tokens, d_out]`.
    pub fn linear_add(&self, x: &Tensor<2>, residual: &Tensor<2>, params: &mut ParamsCache) -> Tensor<2> {
        match self {
            Matrix::F32(matrix) => {
                let [d_in, d_out] = matrix.dims();
                ops::linear_add(x, matrix, residual, &params.linear(x.dims()[0], d_in, d_out))
            }
            Matrix::Packed(matrix) => packed::linear_add(x, matrix, residual),
        }
    }
}

impl Vocabulary {
    /// `[tokens, d_model]`. `row`: the words of `RowParams`.
    pub fn embed(&self, ids: &Tensor<1, Int>, row: &Tensor<1, Int>) -> Tensor<2> {
        match self {
            Vocabulary::F32 { embedding, .. } => ops::embed(ids, embedding, row),
            Vocabulary::Packed(head) => packed::embed(ids, head),
        }
    }

    /// `[tokens, vocabulary]`
    pub fn logits(&self, x: &Tensor<2>, params: &mut ParamsCache) -> Tensor<2> {
        match self {
            Vocabulary::F32 { head, .. } => linear(x, head, params),
            Vocabulary::Packed(head) => packed::linear(x, head),
        }
    }
}

fn linear(x: &Tensor<2>, matrix: &Tensor<2>, params: &mut ParamsCache) -> Tensor<2> {
    let [d_in, d_out] = matrix.dims();
    ops::linear(x, matrix, &params.linear(x.dims()[0], d_in, d_out))
}
