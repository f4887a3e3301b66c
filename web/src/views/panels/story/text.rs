//! One token of the text as it is read: on its way, served, or turned away.

use std::rc::Rc;

use yew::prelude::*;

use crate::run::scene::TokenFate;
use crate::run::text::{Part, quoted, visible};
use crate::state::Action;
use crate::views::panels::story::Seen;
use crate::views::parts::section::Cell;

#[derive(PartialEq)]
pub struct Word {
    token: usize,
    text: Rc<str>,
    /// Does it only continue a character that began before?
    is_tail: bool,
    fate: TokenFate,
    /// Has it been to the experts? While the run plays by itself, those after the selected one have not.
    has_been: bool,
    is_written: bool,
    is_selected: bool,
}

impl Word {
    pub fn of(seen: &Seen, token: usize) -> Word {
        let scene = &seen.input.scene;
        Word {
            token,
            text: scene.token_name(token),
            is_tail: scene.tokens[token].piece.part == Part::Tail,
            fate: seen.layer.fate(token),
            has_been: token < seen.num_tokens,
            is_written: token >= scene.recording.prompt_len(),
            is_selected: token == seen.input.selection.token,
        }
    }
}

impl Cell for Word {
    fn draw(&self, dispatch: &Callback<Action>) -> Html {
        let onclick = {
            let (dispatch, token) = (dispatch.clone(), self.token);
            Callback::from(move |_: MouseEvent| dispatch.emit(Action::Select { token, layer: None, expert: None }))
        };
        let outcome = match self.fate {
            _ if !self.has_been => say!("still to come"),
            TokenFate::LostSome => say!("turned away by an expert"),
            TokenFate::Dropped => say!("turned away by every expert"),
            TokenFate::Served => say!("served"),
            TokenFate::NotRouted => say!("sent to no expert"),
        };
        let text = quoted(&self.text);
        let label = match self.is_written {
            true => say!("{text}, {outcome}, written by the model", text, outcome),
            false => say!("{text}, {outcome}", text, outcome),
        };
        let class = classes!(
            "word",
            (!self.has_been).then_some("is-to-come"),
            (self.has_been && self.fate == TokenFate::LostSome).then_some("is-lost"),
            (self.has_been && self.fate == TokenFate::Dropped).then_some("is-dropped"),
            self.is_written.then_some("is-written"),
            self.is_selected.then_some("is-selected"),
        );
        // The character that it continues stands before it.
        let text = if self.is_tail { "·".to_owned() } else { visible(&self.text) };
        html! {
            <button key={self.token} type="button" {class} role="option" data-view="token" data-grid="story"
                aria-selected={self.is_selected.to_string()} tabindex={if self.is_selected { "0" } else { "-1" }} {onclick}>
                <span class="hidden">{ label }</span>
                <span dir="auto" aria-hidden="true">{ text }</span>
            </button>
        }
    }
}
