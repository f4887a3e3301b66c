//! What a router sees of a layer's tokens besides gate logits: chance as data, ids, and what a reader changes.
//!
//! The same seed gives the same draws on every machine, and a token keeps its own when the text grows.

use std::ops::Range;

use moe_router::RouterInput;
use moe_router::draws::SplitMix64;
use moe_trace::{GateLogits, TokenId};

use crate::changes::Changes;

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
    /// What a reader changes.
    pub changes: Changes,
}

impl RoutingInputs {
    /// Draws for every layer and the first `num_tokens` positions of a text.
    pub fn draw(seed: u32, num_layers: usize, num_tokens: usize, num_experts: usize) -> Vec<RoutingInputs> {
        let all = num_tokens * num_experts;
        let mut inputs = RoutingInputs::draw_without_noise(seed, num_layers, num_tokens, num_experts);
        for (layer, inputs) in inputs.iter_mut().enumerate() {
            let (mut gumbels, mut normals) = (stream(seed, layer, 1), stream(seed, layer, 2));
            inputs.gumbels = (0..all).map(|_| gumbels.gumbel() as f32).collect();
            inputs.normals = (0..all).map(|_| normals.normal() as f32).collect();
        }
        inputs
    }

    /// The same but for Gumbels and normals, which take longer than a step of a small model.
    pub fn draw_without_noise(
        seed: u32,
        num_layers: usize,
        num_tokens: usize,
        num_experts: usize,
    ) -> Vec<RoutingInputs> {
        let of_layer = |layer| RoutingInputs {
            uniforms: stream(seed, layer, 0).uniforms(num_tokens),
            lots: stream(seed, layer, 3).uniforms(num_tokens * num_experts),
            ..RoutingInputs::default()
        };
        (0..num_layers).map(of_layer).collect()
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
            changes: self.changes.at(positions),
        }
    }

    /// What tokens of several texts see that are routed together, text after text. None of them is changed.
    pub fn together(of_texts: impl IntoIterator<Item = RoutingInputs>) -> RoutingInputs {
        let mut all = RoutingInputs::default();
        for of_text in of_texts {
            all.uniforms.extend(of_text.uniforms);
            all.gumbels.extend(of_text.gumbels);
            all.normals.extend(of_text.normals);
            all.lots.extend(of_text.lots);
            all.token_ids.extend(of_text.token_ids);
        }
        all
    }

    /// The same for a rule that leaves nothing to chance.
    pub fn without_chance(&self) -> RoutingInputs {
        RoutingInputs { changes: self.changes.clone(), ..RoutingInputs::default() }
    }

    /// How many of the first tokens see the same here and there. Both were made by [`at`](RoutingInputs::at), from the
    /// first position on.
    pub fn num_common(&self, other: &RoutingInputs) -> usize {
        let (here, there) = (self.token_ids.len(), other.token_ids.len());
        let same_ids = self.token_ids.iter().zip(&other.token_ids).take_while(|(a, b)| a == b).count();
        let same_draws = |a: &[f32], b: &[f32]| {
            let width = a.len() / here.max(1);
            let is_same = |token: &usize| {
                let row = token * width..(token + 1) * width;
                a.get(row.clone()) == b.get(row)
            };
            if width == b.len() / there.max(1) { (0..same_ids).take_while(is_same).count() } else { 0 }
        };
        same_draws(&self.uniforms, &other.uniforms)
            .min(same_draws(&self.gumbels, &other.gumbels))
            .min(same_draws(&self.normals, &other.normals))
            .min(same_draws(&self.lots, &other.lots))
            .min(self.changes.num_common(&other.changes))
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

/// A stream of its own for each layer and kind, so that a new kind changes no other.
fn stream(seed: u32, layer: usize, kind: u64) -> SplitMix64 {
    SplitMix64::new(u64::from(seed) << 32 | kind << 16 | (layer as u64 + 1))
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
        // Ids of three tokens, the last of them another one; then draws that are the same for two.
        let begin = |inputs: &RoutingInputs, ids: &[u32]| inputs.at(0..ids.len(), ids);
        assert_eq!(begin(&short[0], &[7, 8, 9]).num_common(&begin(&long[0], &[7, 8, 1, 2])), 2);
        let mut other = long[0].clone();
        other.gumbels[2 * 4] += 1.0;
        assert_eq!(begin(&short[0], &[7, 8, 9]).num_common(&begin(&other, &[7, 8, 9, 2])), 2);
        assert_eq!(begin(&short[0], &[7, 8, 9]).num_common(&begin(&long[0], &[7, 8, 9, 2])), 3);
        assert_eq!(begin(&short[0], &[7, 8]).num_common(&begin(&RoutingInputs::default(), &[7, 8])), 0);
        let mut plain = RoutingInputs::draw_without_noise(9, 2, 8, 4);
        for (plain, long) in plain.iter_mut().zip(&long) {
            assert!(plain.gumbels.is_empty() && plain.normals.is_empty());
            (plain.gumbels, plain.normals) = (long.gumbels.clone(), long.normals.clone());
        }
        assert_eq!(plain, long);
        let undrawn = RoutingInputs::default().at(2..5, &ids);
        assert_eq!((undrawn.gumbels.len(), undrawn.token_ids.len()), (0, 3));
    }
}
