//! A cosine gate on the host: the router's own formula, on states that were read back.

use moe_router::InputError;
use moe_router::matrix::Matrix;
use moe_router::token_choice::cosine;
use moe_trace::GateLogits;

use super::read;
use crate::reference::{TensorError, gate};
use crate::weights;

/// The gate of a layer, X-MoE's (arXiv:2204.09179, eq. 6-7).
pub struct CosineGate {
    /// `[d_model, d_gate]`
    projection: Matrix,
    /// `[experts, d_gate]`
    embeddings: Matrix,
    temperature: f32,
}

impl CosineGate {
    /// The block's, if it has one.
    pub async fn new(block: &weights::Block) -> Result<Option<CosineGate>, TensorError> {
        let Some(cosine) = &block.cosine else { return Ok(None) };
        let [d_gate, _] = block.gate.val().dims();
        let projection = read(cosine.gate_projection.val()).await?;
        let embeddings = read(block.gate.val().transpose()).await?;
        let sharpness = read(cosine.gate_sharpness.val()).await?;
        Ok(Some(CosineGate {
            projection: Matrix::new(d_gate, projection),
            embeddings: Matrix::new(d_gate, embeddings),
            temperature: gate::temperature(sharpness[0]),
        }))
    }

    /// `x`: `[tokens, d_model]`, normed. What was read back may be no number; that is an error.
    pub fn logits(&self, x: Vec<f32>) -> Result<GateLogits, InputError> {
        let x = Matrix::new(self.projection.num_rows(), x);
        cosine::logits(&cosine::similarities(&x, &self.projection, &self.embeddings)?, self.temperature)
    }
}
