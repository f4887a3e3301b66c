//! Finding of the token strip: requests turned away and tokens dropped are two counts. Where experts pick tokens, no
//! request is turned away, but a token may be picked by none.

use crate::run::scene::{Scene, SceneLayer, TokenFate};

pub fn finding(scene: &Scene) -> String {
    let totals = scene.totals();
    if scene.layers.iter().any(SceneLayer::experts_take) {
        let of_layer = |layer: &SceneLayer| {
            (0..scene.tokens.len()).filter(|&token| layer.fate(token) == TokenFate::NotRouted).count()
        };
        return match scene.layers.iter().map(of_layer).sum::<usize>() {
            0 => say!("In every layer, every token was picked by at least one expert").into_owned(),
            left => many!(
                left,
                "In one layer, one token was picked by no expert",
                "Tokens were picked by no expert {n} times, counted per layer"
            ),
        };
    }
    match (totals.lost, totals.dropped_tokens) {
        (0, _) => many!(totals.requests, "The only request was served", "All {n} requests were served"),
        (lost, dropped) => {
            let turned_away = many!(
                lost,
                "{n} of {requests} requests was turned away",
                "{n} of {requests} requests were turned away",
                requests = totals.requests
            );
            let tokens = match (lost, dropped) {
                (1, 0) => say!("the token still reached another expert").into_owned(),
                (_, 0) => say!("every token still reached an expert").into_owned(),
                _ => many!(
                    dropped,
                    "one token was dropped in one layer",
                    "tokens were dropped {n} times, counted per layer"
                ),
            };
            say!("{turned_away}; {tokens}", turned_away, tokens)
        }
    }
}
