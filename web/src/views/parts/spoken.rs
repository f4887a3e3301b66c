//! The selected token in one sentence, for screen readers: what it asked, and what became of it.

use moe_trace::Fate;

use crate::run::scene::{Scene, SceneLayer};
use crate::run::text::quoted;
use crate::words::names::fate as name_of;

pub fn spoken_token(scene: &Scene, layer: &SceneLayer, token: usize) -> String {
    let mut sentence = format!("Token {token} {}, layer {}", quoted(scene.token_text(token)), layer.layer);
    let requests = layer.of_token(token);
    if requests.is_empty() {
        sentence.push_str(if layer.experts_take() { " was taken by no expert" } else { " asked no expert" });
    }
    for (number, request) in requests.iter().enumerate() {
        let asked = if number == 0 { " asked" } else { ", then" };
        let fate = match request.fate {
            Fate::Kept { .. } => "was served".to_owned(),
            Fate::Lost => format!("was turned away because expert {} is full", request.expert),
            other => name_of(other).to_owned(),
        };
        let share = layer.reading().figure(request.weight_raw);
        if layer.experts_take() {
            let taken = if number == 0 { " was taken" } else { "," };
            sentence.push_str(&format!("{taken} by expert {}, {share}", request.expert));
            continue;
        }
        sentence.push_str(&format!("{asked} expert {}, {share}, and {fate}", request.expert));
    }
    sentence.push('.');
    sentence
}
