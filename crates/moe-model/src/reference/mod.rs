//! The reference forward: plain burn operations, any routing rule, differentiable, whole sequences.
//!
//! The router decides, the graph weighs: from a [`Routing`] only experts, slots and fates are taken, while the weights
//! are gathered from the gate on the tensor graph, so that the gate has a gradient.

mod attention;
mod combine;
pub(crate) mod gate;
mod moe;

pub use moe::{Inputs, LayerOutcome};

use burn::tensor::{Int, Tensor, TensorData};
use moe_router::Router;

use crate::config::ModelConfig;
use crate::weights::Weights;

/// A backend that could not run a forward pass or bring its numbers back.
#[derive(Debug, thiserror::Error)]
#[error("the tensors could not be computed or read back: {0}")]
pub struct TensorError(pub String);

/// What a forward pass gives: expectations for every position, and how every layer routed.
#[derive(Debug)]
pub struct Forward {
    /// `[sequences, tokens, vocabulary]`
    pub logits: Tensor<3>,
    pub layers: Vec<LayerOutcome>,
}

/// Runs whole sequences; each is a routing group of its own.
///
/// `ids`: `[sequences, tokens]`. `inputs` are what rules look at besides gate logits.
pub async fn forward(
    weights: &Weights,
    config: &ModelConfig,
    ids: Tensor<2, Int>,
    router: &Router,
    inputs: &Inputs<'_>,
) -> Result<Forward, TensorError> {
    let [num_sequences, num_tokens] = ids.dims();
    let device = ids.device();
    let mut x = weights.embedding.val().select(0, ids.reshape([num_sequences * num_tokens])).reshape([
        num_sequences,
        num_tokens,
        config.d_model,
    ]);
    let angles = Tensor::<3>::from_data(
        TensorData::new(config.rope_angles(), [config.max_tokens, 2, config.d_head / 2]),
        &device,
    )
    .narrow(0, 0, num_tokens);
    let mut layers = Vec::with_capacity(config.num_layers);
    for (layer, block) in weights.blocks.iter().enumerate() {
        let normed = rms_norm(x.clone(), block.attention_norm.val());
        x = x + attention::forward(block, config, normed, &angles);
        let normed = rms_norm(x.clone(), block.moe_norm.val());
        let (y, outcome) = moe::forward(block, config, normed, router, layer, inputs).await?;
        x = x + y;
        layers.push(outcome);
    }
    let logits = matmul_shared(rms_norm(x, weights.final_norm.val()), weights.embedding.val().transpose());
    Ok(Forward { logits, layers })
}

/// Root-mean-square norm over the last dimension (arXiv:1910.07467, eq. 4).
fn rms_norm(x: Tensor<3>, gain: Tensor<1>) -> Tensor<3> {
    let mean_square = x.clone().square().mean_dim(2);
    x / (mean_square + 1e-5).sqrt() * gain.unsqueeze()
}

/// `x · weight` for `[a, b, d_in]` and `[d_in, d_out]`.
fn matmul_shared(x: Tensor<3>, weight: Tensor<2>) -> Tensor<3> {
    let [a, b, d_in] = x.dims();
    let d_out = weight.dims()[1];
    x.reshape([a * b, d_in]).matmul(weight).reshape([a, b, d_out])
}

/// 1 where a column's number is the index, `[a, b, classes]`. burn's own `one_hot` reads back synchronously, which
/// WebGPU forbids in the browser.
fn one_hot(indices: Tensor<2, Int>, classes: usize) -> Tensor<3> {
    let columns = Tensor::<1, Int>::arange(0..classes as i64, (&indices.device(), indices.dtype()));
    let columns: Tensor<3, Int> = columns.unsqueeze();
    let [a, b] = indices.dims();
    let indices: Tensor<3, Int> = indices.unsqueeze_dim(2);
    indices.expand([a, b, classes]).equal(columns.expand([a, b, classes])).float()
}
