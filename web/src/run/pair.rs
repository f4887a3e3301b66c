//! Two runs side by side: what differs between them, in numbers, on what they have in common.

use moe_router::metrics;
use moe_trace::Fate;

use crate::run::compare::{self, OtherModel, PassageLoss};
use crate::run::recording::Recording;
use crate::run::scene::{Scene, SceneLayer};
use crate::run::shared::Shared;

/// The run before and the run after, at the greatest length of text that both had: capacity depends on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// In tokens.
    pub text_len: usize,
    /// Tokens that both texts begin with.
    pub num_shared: usize,
    /// The first token in which they differ, in both.
    pub parting: Option<(String, String)>,
    /// The model of the run before, where it was another one: its experts are other ones too.
    pub other_model: Option<OtherModel>,
    /// Shared tokens that asked other experts, counted per layer; `None` between models.
    pub routes_changed: Option<usize>,
    /// Shared tokens, counted per layer.
    pub routes: usize,
    /// Requests of shared tokens that were turned away.
    pub lost_before: usize,
    pub lost_after: usize,
    /// The share of the shared tokens' served requests that went to other experts, averaged over the layers; `None`
    /// between models.
    pub load_moved: Option<f64>,
    /// Of the shared tokens.
    pub loss: Option<(PassageLoss, PassageLoss)>,
}

impl Pair {
    /// `None` where the two never had a text of the same length, or begin with different tokens.
    pub fn of(before: &Shared<Recording>, after: &Shared<Recording>) -> Option<Pair> {
        let lengths = (0..after.steps.len()).map(|step| after.text_len(step));
        let text_len = lengths.filter(|&len| before.step_of_len(len).is_some()).max()?;
        let scene = |run: &Shared<Recording>| Scene::of(run, run.step_of_len(text_len)?);
        let (one, other) = (scene(before)?, scene(after)?);
        let tokens = one.tokens.iter().zip(&other.tokens);
        let num_shared = tokens.take_while(|(one, other)| one.id.is_some() && one.id == other.id).count();
        if num_shared == 0 || one.layers.is_empty() {
            return None;
        }
        let other_model = OtherModel::of(&before.model, &after.model);
        let is_comparable = other_model.is_none() && one.layers.len() == other.layers.len();
        let layers = || one.layers.iter().zip(&other.layers);
        let changed = layers()
            .map(|(one, other)| (0..num_shared).filter(|&token| asked(one, token) != asked(other, token)).count());
        let moved = layers().map(|(one, other)| moved(one, other, num_shared)).sum::<f64>();
        let lost = |scene: &Scene| {
            let of_layer = |layer: &SceneLayer| {
                let requests = (0..num_shared).flat_map(|token| layer.of_token(token));
                requests.filter(|request| request.fate == Fate::Lost).count()
            };
            scene.layers.iter().map(of_layer).sum()
        };
        let parting = (num_shared < text_len)
            .then(|| (one.token_text(num_shared).to_owned(), other.token_text(num_shared).to_owned()));
        let losses =
            compare::passage_loss(&one.tokens[..num_shared]).zip(compare::passage_loss(&other.tokens[..num_shared]));
        Some(Pair {
            text_len,
            num_shared,
            parting,
            routes_changed: is_comparable.then(|| changed.sum()),
            routes: num_shared * other.layers.len(),
            lost_before: lost(&one),
            lost_after: lost(&other),
            load_moved: is_comparable.then(|| moved / one.layers.len() as f64),
            loss: losses,
            other_model,
        })
    }
}

/// The experts that a token asked, in the order of its choice.
fn asked(layer: &SceneLayer, token: usize) -> Vec<u32> {
    layer.of_token(token).iter().map(|request| request.expert.0).collect()
}

/// Half the sum of differences between the shares of two loads: the part of the work that changed hands.
fn moved(one: &SceneLayer, other: &SceneLayer, num_tokens: usize) -> f64 {
    let shares = |layer: &SceneLayer| {
        let mut routing = layer.routing.clone();
        routing.assignments.retain(|request| (request.token as usize) < num_tokens);
        let load = metrics::load(&routing);
        let all: f64 = load.iter().map(|&served| f64::from(served)).sum();
        load.into_iter().map(|served| f64::from(served) / all.max(1.0)).collect::<Vec<_>>()
    };
    shares(one).iter().zip(shares(other)).map(|(one, other)| (one - other).abs()).sum::<f64>() / 2.0
}
