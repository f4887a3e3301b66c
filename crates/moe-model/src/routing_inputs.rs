//! What a router sees of a layer's tokens besides gate logits: chance as data, and ids.
//!
//! The same seed gives the same draws on every machine, and a token keeps its own when the text grows.

use std::ops::Range;

use moe_router::RouterInput;
use moe_router::draws::SplitMix64;
use moe_trace::{GateLogits, TokenId};

/// Of one layer and group of tokens. What is empty has the meaning that [`RouterInput`] gives it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RoutingInputs {
    /// `[tokens]`, in [0, 1).
    pub uniforms: Vec<f32>,
    /// `[tokens, experts]`.
    pub gumbels: Vec<f32>,
    /// `[tokens, experts]`, of deviation 1.
    pub normals: Vec<f32>,
    /// `[tokens, experts]`, in [0, 1).
    pub lots: Vec<f32>,
    /// `[tokens]`: what went into the model.
    pub token_ids: Vec<TokenId>,
}

impl RoutingInputs {
    /// Draws for every layer and the first `num_tokens` positions of a text.
    pub fn draw(seed: u32, num_layers: usize, num_tokens: usize, num_experts: usize) -> Vec<RoutingInputs> {
        let all = num_tokens * num_experts;
        let of_layer = |layer: u64| {
            // A stream of its own for each layer and kind, so that a new kind changes no other.
            let stream = |kind: u64| SplitMix64::new(u64::from(seed) << 32 | kind << 16 | (layer + 1));
            let (mut gumbels, mut normals) = (stream(1), stream(2));
            RoutingInputs {
                uniforms: stream(0).uniforms(num_tokens),
                gumbels: (0..all).map(|_| gumbels.gumbel() as f32).collect(),
                normals: (0..all).map(|_| normals.normal() as f32).collect(),
                lots: stream(3).uniforms(all),
                token_ids: Vec::new(),
            }
        };
        (0..num_layers as u64).map(of_layer).collect()
    }

    /// The draws of some positions, as far as there are any, with the ids of the tokens there.
    pub fn at(&self, positions: Range<usize>, ids: &[u32]) -> RoutingInputs {
        let num_experts = self.lots.len() / self.uniforms.len().max(1);
        let of_tokens = |draws: &[f32], width: usize| {
            draws.get(positions.start * width..positions.end * width).unwrap_or_default().to_vec()
        };
        RoutingInputs {
            uniforms: of_tokens(&self.uniforms, 1),
            gumbels: of_tokens(&self.gumbels, num_experts),
            normals: of_tokens(&self.normals, num_experts),
            lots: of_tokens(&self.lots, num_experts),
            token_ids: ids.iter().map(|&id| TokenId(id)).collect(),
        }
    }

    /// Together with what the gate said.
    pub fn with<'a>(&'a self, gate_logits: &'a GateLogits) -> RouterInput<'a> {
        RouterInput::new(gate_logits)
            .with_uniforms(&self.uniforms)
            .with_gumbels(&self.gumbels)
            .with_normals(&self.normals)
            .with_lots(&self.lots)
            .with_token_ids(&self.token_ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_keeps_its_draws_when_the_text_grows() {
        let (short, long) = (RoutingInputs::draw(9, 2, 5, 4), RoutingInputs::draw(9, 2, 8, 4));
        let ids = [7, 8, 9];
        for (short, long) in short.iter().zip(&long) {
            assert_eq!(short.at(2..5, &ids), long.at(2..5, &ids));
        }
        assert_ne!(short[0], short[1]);
        assert_eq!(short[0].at(4..5, &[7]).gumbels, short[0].gumbels[16..]);
        let undrawn = RoutingInputs::default().at(2..5, &ids);
        assert_eq!((undrawn.gumbels.len(), undrawn.token_ids.len()), (0, 3));
    }
}
