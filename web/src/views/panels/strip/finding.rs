//! Finding of the token strip: two marks, two counts. Where experts take tokens, nobody is turned away, but some are left.

use crate::run::scene::{Scene, SceneLayer, TokenFate};
use crate::words::numbers::count;

pub fn finding(scene: &Scene) -> String {
    let totals = scene.totals();
    if scene.layers.iter().any(SceneLayer::experts_take) {
        let of_layer = |layer: &SceneLayer| {
            (0..scene.tokens.len()).filter(|&token| layer.fate(token) == TokenFate::NotRouted).count()
        };
        return match scene.layers.iter().map(of_layer).sum() {
            0 => "Every token was taken by at least one expert in every layer".to_owned(),
            left => format!("{} taken by no expert of a layer", count(left, "time a token was", "times a token was")),
        };
    }
    match (totals.lost, totals.dropped_tokens) {
        (0, _) => format!("Every one of {} was served", count(totals.requests, "request", "requests")),
        (1, 0) => format!("One of {} requests found its expert full; its token kept another", totals.requests),
        (1, _) => format!("One of {} requests found its expert full, and its token had no other", totals.requests),
        (lost, 0) => format!("{lost} of {} requests found their expert full; every token kept one", totals.requests),
        (lost, dropped) => {
            let tokens = count(dropped, "time a token was", "times a token was");
            format!("{lost} of {} requests found their expert full; {tokens} dropped", totals.requests)
        }
    }
}
