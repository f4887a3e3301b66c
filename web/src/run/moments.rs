//! The text on the screen as the gates of earlier moments of the training would route it, beside how today's do.

use moe_router::measure::router_saturation;
use moe_trace::GateHistory;

use crate::run::scene::Scene;
use crate::run::shared::Shared;

#[derive(Debug)]
pub struct Moments {
    pub history: Shared<GateHistory>,
    /// Tokens of the scene that it is of, from the first: a text that goes on elsewhere shares its beginning.
    pub num_tokens: usize,
    pub num_experts: usize,
    /// `[layers][moments]`: mean part of a token's experts that are among those that today's gates choose.
    pub saturation: Vec<Vec<f64>>,
}

impl Moments {
    /// Shares of the training that are told: OLMoE's (arXiv:2409.02060, section 5), as in docs/FINDINGS.md.
    pub const EARLY: f64 = 0.01;
    pub const LATER: f64 = 0.4;
    /// Routing is decided where so much of today's is there.
    pub const DECIDED: f64 = 0.8;

    /// `None` where the history is of another text or of other layers. `history` fits.
    pub fn of(history: &Shared<GateHistory>, scene: &Scene) -> Option<Moments> {
        let same = |(token, id): &(&crate::run::scene::SceneToken, &u32)| token.id == Some(**id);
        let num_tokens = scene.tokens.iter().zip(&history.ids).take_while(same).count();
        let num_layers = history.num_layers as usize;
        if num_tokens == 0 || scene.layers.len() != num_layers {
            return None;
        }
        let k = history.k as usize;
        let asked = |moment: usize, layer: usize| -> Vec<u32> {
            history.of(moment, layer)[..num_tokens * k].iter().map(|&expert| expert.into()).collect()
        };
        let last = history.steps.len() - 1;
        let of_layer = |layer: usize| {
            let end = asked(last, layer);
            (0..=last).map(|moment| router_saturation(&asked(moment, layer), &end, k)).collect()
        };
        Some(Moments {
            history: history.clone(),
            num_tokens,
            num_experts: scene.num_experts(),
            saturation: (0..num_layers).map(of_layer).collect(),
        })
    }

    pub fn num_moments(&self) -> usize {
        self.history.steps.len()
    }

    /// Of the training, from 0 to 1.
    pub fn share(&self, moment: usize) -> f64 {
        let end = self.history.steps.last().copied().unwrap_or(0).max(1);
        f64::from(self.history.steps[moment]) / f64::from(end)
    }

    /// The moment nearest to a share of the training.
    pub fn nearest(&self, share: f64) -> usize {
        let distance = |moment: &usize| (self.share(*moment) - share).abs();
        (0..self.num_moments()).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(0)
    }

    /// The experts that a token asks in a layer, by rank.
    pub fn asked(&self, moment: usize, layer: usize, token: usize) -> &[u8] {
        let k = self.history.k as usize;
        &self.history.of(moment, layer)[token * k..][..k]
    }

    /// The experts that it asks today.
    pub fn asked_today(&self, layer: usize, token: usize) -> &[u8] {
        self.asked(self.num_moments() - 1, layer, token)
    }

    /// Mean over the layers.
    pub fn mean(&self, moment: usize) -> f64 {
        let of_layers = self.saturation.iter().map(|layer| layer[moment]);
        of_layers.sum::<f64>() / self.saturation.len() as f64
    }

    /// The same of held-out tokens as the models of these moments routed them, by layer.
    pub fn recorded(&self, moment: usize, layer: usize) -> f64 {
        self.history.recorded.saturation[moment * self.saturation.len() + layer].into()
    }

    pub fn recorded_mean(&self, moment: usize) -> f64 {
        let num_layers = self.saturation.len();
        (0..num_layers).map(|layer| self.recorded(moment, layer)).sum::<f64>() / num_layers as f64
    }

    /// What two choices by lot would have in common.
    pub fn by_chance(&self) -> f64 {
        f64::from(self.history.k) / self.num_experts.max(1) as f64
    }
}
