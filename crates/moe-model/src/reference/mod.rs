//! The reference forward: plain burn operations, any routing rule, differentiable, whole sequences.
//!
//! The router decides, the graph weighs: from a [`moe_trace::Routing`] only experts, slots and fates are taken, while the
//! weights are gathered from the gate on the tensor graph, so that the gate has a gradient.

mod combine;
pub mod mixed;
mod moe;
mod plan;
mod rule;

pub use moe::{Inputs, LayerOutcome, layer};
pub use rule::Rule;

use burn::tensor::{Int, Tensor, TensorData};

use crate::config::ModelConfig;
use crate::read_back::TensorError;
use crate::tensors::{matmul_shared, rms_norm};
use crate::weights::Weights;

/// What a forward pass gives: expectations for every position, and how every layer routed.
#[derive(Debug)]
pub struct Forward {
    /// `[sequences, tokens, vocabulary]`
    pub logits: Tensor<3>,
    pub layers: Vec<LayerOutcome>,
}

/// What becomes of a layer's sum of expert outputs, `[sequences, tokens, d_model]`, given its number and what it decided.
pub type Beside<'a> = dyn FnMut(usize, &LayerOutcome, Tensor<3>) -> Tensor<3> + 'a;

/// Runs whole sequences; each is a routing group of its own.
///
/// `ids`: `[sequences, tokens]`. `inputs` are what rules look at besides gate logits.
pub async fn forward(
    weights: &Weights,
    config: &ModelConfig,
    ids: Tensor<2, Int>,
    rule: impl Into<Rule>,
    inputs: &Inputs<'_>,
) -> Result<Forward, TensorError> {
    forward_beside(weights, config, ids, rule.into(), inputs, &mut |_, _, y| y).await
}

/// The same where something stands beside the experts of each layer: adapters.
pub async fn forward_beside(
    weights: &Weights,
    config: &ModelConfig,
    ids: Tensor<2, Int>,
    rule: Rule,
    inputs: &Inputs<'_>,
    beside: &mut Beside<'_>,
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
    for (number, block) in weights.blocks.iter().enumerate() {
        let normed = rms_norm(x.clone(), block.attention_norm.val());
        x = x + block.attention.forward(normed, &angles);
        let normed = rms_norm(x.clone(), block.moe_norm.val());
        let (y, outcome) = match &rule {
            Rule::Assigns(router) => layer(block, normed, router, number, inputs).await?,
            Rule::Mixes(mixer) => mixed::layer(block, normed, mixer, number).await?,
        };
        x = x + beside(number, &outcome, y);
        layers.push(outcome);
    }
    let logits = matmul_shared(rms_norm(x, weights.final_norm.val()), weights.embedding.val().transpose());
    Ok(Forward { logits, layers })
}
