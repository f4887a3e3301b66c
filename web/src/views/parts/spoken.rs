//! The selected token in one sentence, for screen readers: the experts it requested, and what became of that.

use moe_trace::{Assignment, Fate};

use crate::run::scene::{Scene, SceneLayer};
use crate::run::text::quoted;
use crate::words::names::fate as name_of;

pub fn spoken_token(scene: &Scene, layer: &SceneLayer, token: usize) -> String {
    let text = quoted(scene.token_text(token));
    let requests = layer.of_token(token);
    let phrase = |(number, request): (usize, &Assignment)| {
        let (expert, share) = (request.expert, layer.reading().short(request.weight_raw));
        if layer.experts_take() {
            return match number {
                0 => say!("was picked by expert {expert}, {share}", expert, share),
                _ => say!("by expert {expert}, {share}", expert, share),
            };
        }
        let fate = match request.fate {
            Fate::Kept { .. } => say!("was served").into_owned(),
            Fate::Lost => say!("was turned away because expert {expert} is full", expert),
            other => name_of(other).to_string(),
        };
        match number {
            0 => say!("requested expert {expert}, {share}, and {fate}", expert, share, fate),
            _ => say!("then expert {expert}, {share}, and {fate}", expert, share, fate),
        }
    };
    let phrases = requests.iter().enumerate().map(phrase);
    let what = phrases.reduce(|said, phrase| say!("{said}, {phrase}", said, phrase));
    let what = what.unwrap_or_else(|| match layer.experts_take() {
        true => say!("was picked by no expert").into_owned(),
        false => say!("requested no expert").into_owned(),
    });
    say!("Token {token} {text}, layer {layer} {what}.", token, text, layer = layer.layer, what)
}
