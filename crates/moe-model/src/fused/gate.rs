//! A block's gate on the fused path. A linear one is a matrix that the kernels read; a cosine gate is computed on the
//! host, by the router's own formula on states that were read back.

use burn::tensor::Tensor;
use moe_router::matrix::Matrix;
use moe_router::token_choice::cosine;
use moe_trace::GateLogits;

use super::matrix::linear;
use crate::forms::cosine_gate::{CosineGate, temperature};
use crate::forms::gate::Gate;
use crate::read_back::{TensorError, read};

#[allow(clippy::large_enum_variant, reason = "there is one in a layer")]
pub enum FusedGate {
    /// `[d_model, experts]`
    Linear(Tensor<2>),
    Cosine(HostCosineGate),
}

/// X-MoE's gate (arXiv:2204.09179, eq. 6-7), on the host.
pub struct HostCosineGate {
    /// `[d_model, d_gate]`
    projection: Matrix,
    /// `[experts, d_gate]`
    embeddings: Matrix,
    temperature: f32,
}

impl FusedGate {
    pub async fn new(gate: Gate) -> Result<FusedGate, TensorError> {
        Ok(match gate {
            Gate::Linear(gate) => FusedGate::Linear(gate.weight.into_value()),
            Gate::Cosine(gate) => FusedGate::Cosine(HostCosineGate::new(gate).await?),
        })
    }

    /// The matrix by which the kernels compute the logits; `None` where only the host can.
    pub fn matrix(&self) -> Option<&Tensor<2>> {
        match self {
            FusedGate::Linear(weight) => Some(weight),
            FusedGate::Cosine(_) => None,
        }
    }

    /// Logits on the host, at the price of a read-back. `x`: `[tokens, d_model]`, normed.
    pub async fn logits(&self, x: &Tensor<2>) -> Result<GateLogits, TensorError> {
        match self {
            FusedGate::Linear(weight) => {
                let logits = read(linear(x, weight)).await?;
                GateLogits::new(weight.dims()[1], logits).map_err(|error| TensorError(error.to_string()))
            }
            FusedGate::Cosine(gate) => gate.logits(read(x.clone()).await?),
        }
    }
}

impl HostCosineGate {
    async fn new(gate: CosineGate) -> Result<HostCosineGate, TensorError> {
        let [d_gate, _] = gate.embeddings.val().dims();
        let projection = read(gate.projection.val()).await?;
        let embeddings = read(gate.embeddings.val().transpose()).await?;
        let sharpness = read(gate.sharpness.val()).await?;
        Ok(HostCosineGate::of_parts(Matrix::new(d_gate, projection), Matrix::new(d_gate, embeddings), sharpness[0]))
    }

    /// `projection`: `[d_model, d_gate]`; `embeddings`: `[experts, d_gate]`.
    pub fn of_parts(projection: Matrix, embeddings: Matrix, sharpness: f32) -> HostCosineGate {
        HostCosineGate { projection, embeddings, temperature: temperature(sharpness) }
    }

    /// `x`: `[tokens, d_model]`, normed. What was read back may be no number; that is an error.
    pub fn logits(&self, x: Vec<f32>) -> Result<GateLogits, TensorError> {
        let x = Matrix::new(self.projection.num_rows(), x);
        cosine::similarities(&x, &self.projection, &self.embeddings)
            .and_then(|similarities| cosine::logits(&similarities, self.temperature))
            .map_err(|error| TensorError(error.to_string()))
    }
}
