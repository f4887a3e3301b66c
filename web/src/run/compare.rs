//! What a change of settings did to the loss of the passage: the same tokens, in the previous run and in this one.

use moe_trace::ModelInfo;

use crate::run::recording::Recording;
use crate::run::scene::{Scene, SceneToken};
use crate::run::shared::Shared;
use crate::run::text::plain;
use crate::settings::models;

/// Mean loss of the tokens that something predicted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PassageLoss {
    /// Nats per token.
    pub nats: f64,
    pub bits_per_byte: f64,
    pub num_tokens: usize,
}

/// A model whose loss stands beside that of another.
#[derive(Debug, Clone, PartialEq)]
pub struct OtherModel {
    pub name: String,
    pub budgets: Budgets,
}

/// How much the other model and this one learned from: unlike models are not compared without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budgets {
    /// As many tokens each.
    Same,
    Differ {
        other: u32,
        this: u32,
    },
    /// Of one of them nobody knows.
    Unknown,
}

impl OtherModel {
    /// `None` where both are the same.
    pub fn of(other: &ModelInfo, this: &ModelInfo) -> Option<OtherModel> {
        let budgets = match (other.training_tokens, this.training_tokens) {
            (Some(other), Some(this)) if other == this => Budgets::Same,
            (Some(other), Some(this)) => Budgets::Differ { other, this },
            _ => Budgets::Unknown,
        };
        (!models::are_same(other, this)).then(|| OtherModel { name: plain(&other.name), budgets })
    }
}

/// The same passage twice.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub before: PassageLoss,
    pub after: PassageLoss,
    /// Loss of each shared token in the run before, from the first token of the text.
    pub losses_before: Vec<Option<f32>>,
    /// Requests that it had turned away by then, over all layers.
    pub lost_before: usize,
    /// The run before was compared at this length of text, in tokens.
    pub text_len: usize,
    /// The model of the other run, where it was another one.
    pub other_model: Option<OtherModel>,
}

/// `None` where no token has a loss.
pub fn passage_loss(tokens: &[SceneToken]) -> Option<PassageLoss> {
    let (mut nats, mut num_tokens, mut num_bytes) = (0.0, 0, 0);
    for token in tokens {
        if let Some(loss) = token.loss {
            nats += f64::from(loss);
            num_tokens += 1;
            num_bytes += token.num_bytes;
        }
    }
    let bits = nats / std::f64::consts::LN_2;
    let loss = |num_tokens: usize| PassageLoss {
        nats: nats / num_tokens as f64,
        bits_per_byte: bits / num_bytes.max(1) as f64,
        num_tokens,
    };
    (num_tokens > 0).then(|| loss(num_tokens))
}

/// Compares with the run before at the same length of text, over the tokens that both texts begin with.
///
/// Capacity depends on the length of the text, so texts of other lengths cannot be compared. `None` where the run
/// before never had this length, or where the texts differ already within the prompt.
pub fn change(before: &Shared<Recording>, now: &Scene) -> Option<Change> {
    let text_len = now.tokens.len();
    let step = before.step_of_len(text_len)?;
    let then = Scene::of(before, step)?;
    let shared =
        then.tokens.iter().zip(&now.tokens).take_while(|(then, now)| then.id.is_some() && then.id == now.id).count();
    if shared < now.recording.prompt_len().min(text_len) {
        return None;
    }
    Some(Change {
        before: passage_loss(&then.tokens[..shared])?,
        after: passage_loss(&now.tokens[..shared])?,
        losses_before: then.tokens[..shared].iter().map(|token| token.loss).collect(),
        lost_before: then.totals().lost,
        text_len,
        other_model: OtherModel::of(&before.model, &now.recording.model),
    })
}
