//! A matrix on the fused path: f32 on any device, or 8 bit on the CPU.

use burn::tensor::{Int, Tensor};
use moe_kernels::cpu::packed::PackedMatrix;
use moe_kernels::params::{HeadParams, LinearParams, RowParams};
use moe_kernels::{ops, packed};

use super::record::Record;

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
    pub fn linear(&self, x: &Tensor<2>) -> Tensor<2> {
        match self {
            Matrix::F32(matrix) => linear(x, matrix),
            Matrix::Packed(matrix) => packed::linear(x, matrix),
        }
    }

    /// `residual + x · matrix`, `[tokens, d_out]`.
    pub fn linear_add(&self, x: &Tensor<2>, residual: &Tensor<2>) -> Tensor<2> {
        match self {
            Matrix::F32(matrix) => ops::linear_add(x, matrix, residual, linear_params(x, matrix)),
            Matrix::Packed(matrix) => packed::linear_add(x, matrix, residual),
        }
    }
}

impl Vocabulary {
    /// `[tokens, d_model]`
    pub fn embed(&self, ids: &Tensor<1, Int>, row: RowParams) -> Tensor<2> {
        match self {
            Vocabulary::F32 { embedding, .. } => ops::embed(ids, embedding, row),
            Vocabulary::Packed(head) => packed::embed(ids, head),
        }
    }

    /// Appends the logits of `x` (`[tokens, d_model]`) after its norm to a record, `[tokens, vocabulary]`.
    pub fn add_logits(&self, x: &Tensor<2>, norm: &Tensor<1>, row: RowParams, record: &mut Record) {
        let (num_tokens, d_model) = (row.num_tokens, row.d_model);
        match self {
            Vocabulary::F32 { head, .. } => {
                let vocab_size = head.dims()[1] as u32;
                record.add_written((num_tokens * vocab_size) as usize, |record_offset, values| {
                    let numbers = HeadParams { num_tokens, d_model, vocab_size, record_offset };
                    (ops::head(x, norm, head, numbers, values), ())
                });
            }
            Vocabulary::Packed(head) => {
                let logits = packed::linear(&ops::rms_norm(x, norm, row), head);
                record.add(&logits, 0, num_tokens as usize * head.d_out);
            }
        }
    }
}

/// `x · matrix`, `[tokens, d_out]`.
pub fn linear(x: &Tensor<2>, matrix: &Tensor<2>) -> Tensor<2> {
    ops::linear(x, matrix, linear_params(x, matrix))
}

fn linear_params(x: &Tensor<2>, matrix: &Tensor<2>) -> LinearParams {
    let [d_in, d_out] = matrix.dims();
    LinearParams { num_tokens: x.dims()[0] as u32, d_in: d_in as u32, d_out: d_out as u32 }
}
