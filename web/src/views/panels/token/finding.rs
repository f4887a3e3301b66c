//! Finding of the token's panel: which experts serve the token, and which turned it away.

use moe_trace::{Assignment, Fate};

use crate::run::scene::{Scene, SceneLayer, TokenFate};
use crate::run::text::quoted;

pub fn finding(scene: &Scene, layer: &SceneLayer, token: usize) -> String {
    let name = quoted(scene.token_text(token));
    let of_token = layer.of_token(token);
    let experts = |wanted: fn(&Assignment) -> bool| {
        let names: Vec<String> = of_token.iter().filter(|a| wanted(a)).map(|a| a.expert.to_string()).collect();
        match names.as_slice() {
            [] => String::new(),
            all if all.len() == layer.num_experts && all.len() > 2 => format!("all {} experts", all.len()),
            [one] => format!("expert {one}"),
            [first @ .., last] => format!("experts {} and {last}", first.join(", ")),
        }
    };
    let kept = experts(|a| a.fate.is_kept());
    let lost = experts(|a| a.fate == Fate::Lost);
    match layer.fate(token) {
        TokenFate::Served if layer.experts_take() => format!("{name} was picked by {kept}"),
        TokenFate::Served => format!("{name} is served by {kept}"),
        TokenFate::LostSome => format!("{name} was turned away by {lost} and served by {kept}"),
        TokenFate::Dropped => format!("{name} was dropped: {lost} had no slot left"),
        TokenFate::NotRouted if layer.experts_take() => format!("{name} was picked by no expert"),
        TokenFate::NotRouted => format!("{name} requested no expert"),
    }
}
