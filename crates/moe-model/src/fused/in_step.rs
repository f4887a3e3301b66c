//! Several texts in step: one token of each, all of them one routing group, as where a server decodes for several readers.
//!
//! Only attention tells the texts apart: each looks at its own keys and values. These are kept here and not in the model's
//! cache, so that the text that the model goes on with alone is not forgotten.

use burn::tensor::Tensor;
use moe_kernels::params::AttentionParams;
use moe_router::Router;

use super::attention::attention_params;
use super::step::{StepInput, StepOutput};
use super::{Fused, Group};
use crate::read_back::TensorError;
use crate::routing_inputs::RoutingInputs;

/// Keys and values of texts that are run in step.
pub struct Texts {
    /// `[layers][texts]`, each `[2, max_tokens, kv_heads · d_head]`. Absent only while a kernel writes into one.
    caches: Vec<Vec<Option<Tensor<3>>>>,
}

/// The next token of one of the texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextToken {
    /// Which of the texts, from 0.
    pub text: usize,
    /// In its text; all tokens before it are in the cache.
    pub position: usize,
    pub id: u32,
}

/// The tokens of a pass, and where their attention looks.
pub(super) struct InStep<'a> {
    texts: &'a mut Texts,
    tokens: &'a [TextToken],
    /// The numbers of each token's attention.
    params: Vec<AttentionParams>,
}

impl InStep<'_> {
    /// For each token the numbers of its attention, and its text's cache in a layer.
    pub fn of_layer(&mut self, layer: usize) -> impl Iterator<Item = (AttentionParams, &mut Option<Tensor<3>>)> {
        let (tokens, params) = (self.tokens, &self.params);
        // Each text has one token, and they come in the texts' order.
        let mut texts = self.texts.caches[layer].iter_mut().enumerate();
        tokens.iter().zip(params).map(move |(token, params)| {
            let cache = texts.find(|(text, _)| *text == token.text).expect("tokens come in the order of their texts");
            (*params, cache.1)
        })
    }
}

impl Fused {
    /// Room for texts that are run in step, none of which has begun.
    pub fn texts(&self, num_texts: usize) -> Texts {
        let config = &self.config;
        let cache = || Tensor::zeros([2, config.max_tokens, config.attention().d_keys()], &self.device);
        let of_layer = || (0..num_texts).map(|_| Some(cache())).collect();
        Texts { caches: (0..config.num_layers).map(|_| of_layer()).collect() }
    }

    /// Runs the next token of some texts, in ascending order of their texts, as one routing group.
    ///
    /// `inputs`: what routing sees besides gate logits, one per layer, of these tokens in this order; or empty. The output
    /// has no losses, and logits after each of the tokens, `[tokens, vocabulary]`.
    pub async fn forward_in_step(
        &mut self,
        texts: &mut Texts,
        tokens: &[TextToken],
        inputs: &[RoutingInputs],
        router: &Router,
    ) -> Result<StepOutput, TensorError> {
        let ids: Vec<u32> = tokens.iter().map(|token| token.id).collect();
        let (attention, max_tokens) = (self.config.attention(), self.config.max_tokens);
        let numbers = tokens.iter().map(|token| attention_params(attention, 1, token.position, max_tokens));
        let params = numbers.collect();
        let step = StepInput { ids: &ids, first_position: 0, inputs };
        self.pass(&step, Group::InStep(InStep { texts, tokens, params }), router).await?.output(tokens.len())
    }
}
