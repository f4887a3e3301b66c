//! The selected token in one sentence, for screen readers: the experts it requested, and what became of that.

use moe_trace::Fate;

use crate::run::scene::{Scene, SceneLayer};
use crate::run::text::quoted;
use crate::words::names::fate as name_of;

pub fn spoken_token(scene: &Scene, layer: &SceneLayer, token: usize) -> String {
    let mut sentence = format!("Token {token} {}, layer {}", quoted(scene.token_text(token)), layer.layer);
    let requests = layer.of_token(token);
    if requests.is_empty() {
        sentence.push_str(if layer.experts_take() { " was picked by no expert" } else { " requested no expert" });
    }
    for (number, request) in requests.iter().enumerate() {
        let requested = if number == 0 { " requested" } else { ", then" };
        let fate = match request.fate {
            Fate::Kept { .. } => "was served".to_owned(),
            Fate::Lost => format!("was turned away because expert {} is full", request.expert),
            other => name_of(other).into_owned(),
        };
        let share = layer.reading().short(request.weight_raw);
        if layer.experts_take() {
            let picked = if number == 0 { " was picked" } else { "," };
            sentence.push_str(&format!("{picked} by expert {}, {share}", request.expert));
            continue;
        }
        sentence.push_str(&format!("{requested} expert {}, {share}, and {fate}", request.expert));
    }
    sentence.push('.');
    sentence
}
