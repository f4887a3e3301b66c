//! The tokens of a text as words above columns of one width, for pictures with a column per token.

use yew::prelude::*;

use crate::run::scene::Scene;
use crate::run::text::{Part, Piece, visible};
use crate::state::Action;
use crate::views::parts::section::{Cell, row};

/// Width of a token's column.
pub const COLUMN: usize = 18;

pub fn column_words(scene: &Scene, selected: Option<usize>, dispatch: &Callback<Action>) -> Html {
    let words = scene.tokens.iter().enumerate().map(|(token, shown)| Word {
        token,
        piece: shown.piece.clone(),
        is_selected: Some(token) == selected,
    });
    html! { <div class="column-words" aria-hidden="true">{ row(words, dispatch) }</div> }
}

/// The token under the mouse or finger; the tokens run as the text does.
pub fn token_at(event: &MouseEvent, num_tokens: usize, is_right_to_left: bool) -> usize {
    let column = (event.offset_x().max(0) as usize / COLUMN).min(num_tokens.saturating_sub(1));
    if is_right_to_left { num_tokens.saturating_sub(column + 1) } else { column }
}

#[derive(PartialEq)]
struct Word {
    token: usize,
    piece: Piece,
    is_selected: bool,
}

impl Cell for Word {
    fn draw(&self, _dispatch: &Callback<Action>) -> Html {
        let text = if self.piece.part == Part::Tail { "—".to_owned() } else { visible(&self.piece.text) };
        html! { <span key={self.token} class={self.is_selected.then_some("is-selected")} dir="auto">{ text }</span> }
    }
}
