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
            all if all.len() == layer.num_experts && all.len() > 2 => say!("all {number} experts", number = all.len()),
            [one] => say!("expert {one}", one),
            [before @ .., last] => say!("experts {before} and {last}", before = before.join(&say!(", ")), last),
        }
    };
    let kept = experts(|a| a.fate.is_kept());
    let lost = experts(|a| a.fate == Fate::Lost);
    match layer.fate(token) {
        TokenFate::Served if layer.experts_take() => say!("{name} was picked by {kept}", name, kept),
        TokenFate::Served => say!("{name} is served by {kept}", name, kept),
        TokenFate::LostSome => say!("{name} was turned away by {lost} and served by {kept}", name, lost, kept),
        TokenFate::Dropped => say!("{name} was dropped: {lost} had no slot left", name, lost),
        TokenFate::NotRouted if layer.experts_take() => say!("{name} was picked by no expert", name),
        TokenFate::NotRouted => say!("{name} requested no expert", name),
    }
}
