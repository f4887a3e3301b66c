//! Finding of the token strip: requests turned away and tokens dropped are two counts. Where experts pick tokens, no
//! request is turned away, but a token may be picked by none.

use crate::run::scene::{Scene, SceneLayer, TokenFate};

pub fn finding(scene: &Scene) -> String {
    let totals = scene.totals();
    if scene.layers.iter().any(SceneLayer::experts_take) {
        let of_layer = |layer: &SceneLayer| {
            (0..scene.tokens.len()).filter(|&token| layer.fate(token) == TokenFate::NotRouted).count()
        };
        return match scene.layers.iter().map(of_layer).sum() {
            0 => "In every layer, every token was picked by at least one expert".to_owned(),
            1 => "In one layer, one token was picked by no expert".to_owned(),
            left => format!("Tokens were picked by no expert {left} times, counted per layer"),
        };
    }
    match (totals.lost, totals.dropped_tokens) {
        (0, _) if totals.requests == 1 => "The only request was served".to_owned(),
        (0, _) => format!("All {} requests were served", totals.requests),
        (lost, dropped) => {
            let turned_away = match lost {
                1 => format!("1 of {} requests was turned away", totals.requests),
                _ => format!("{lost} of {} requests were turned away", totals.requests),
            };
            let tokens = match (lost, dropped) {
                (1, 0) => "the token still reached another expert".to_owned(),
                (_, 0) => "every token still reached an expert".to_owned(),
                (_, 1) => "one token was dropped in one layer".to_owned(),
                _ => format!("tokens were dropped {dropped} times, counted per layer"),
            };
            format!("{turned_away}; {tokens}")
        }
    }
}
