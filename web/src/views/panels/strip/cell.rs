//! One token of the strip: its text, what became of it, and how sure the gate was of its first and second choice.

use std::borrow::Cow;
use std::rc::Rc;

use moe_trace::ExpertIdx;
use yew::prelude::*;

use crate::run::scene::TokenFate;
use crate::run::text::{Part, Piece, quoted, visible};
use crate::state::Action;
use crate::views::parts::glyph::{Mark, glyph};
use crate::views::parts::section::Cell;
use crate::views::parts::sized::{at_height, upward};

#[derive(PartialEq)]
pub struct TokenCell {
    pub token: usize,
    pub piece: Piece,
    /// The character that it shows or continues.
    pub name: Rc<str>,
    pub fate: TokenFate,
    /// The fate in words.
    pub outcome: Cow<'static, str>,
    /// A request was turned away in another layer than the one shown.
    pub lost_elsewhere: bool,
    /// How sure the rule was of the first and the second choice, in whole percents: for most, gate probabilities.
    pub first: u8,
    /// Was the first choice turned away?
    pub first_is_lost: bool,
    pub second: Option<u8>,
    /// The first experts that it requested, and how many in all.
    pub experts: [Option<ExpertIdx>; 2],
    pub num_requests: usize,
    pub is_written: bool,
    pub is_selected: bool,
}

impl TokenCell {
    /// `1 · 5`, `1 · 5+6` where there are six more, `–` for none. With hair spaces, for `1·5` reads as a decimal.
    fn experts(&self) -> String {
        match (self.experts, self.num_requests) {
            ([Some(one), Some(two)], 3..) => format!("{one}\u{200a}·\u{200a}{two}+{}", self.num_requests - 2),
            ([Some(one), Some(two)], _) => format!("{one}\u{200a}·\u{200a}{two}"),
            ([Some(one), None], _) => one.to_string(),
            _ => "–".to_owned(),
        }
    }

    /// Only what deserves one.
    fn mark(&self) -> Option<Mark> {
        match self.fate {
            TokenFate::LostSome => Some(Mark::Lost),
            TokenFate::Dropped => Some(Mark::Dropped),
            _ => None,
        }
    }

    fn label(&self) -> AttrValue {
        let name = quoted(&self.name);
        let name = if self.piece.part == Part::Tail { say!("continues {name}", name) } else { name };
        let is_lost_only_elsewhere = self.lost_elsewhere && self.fate <= TokenFate::Served;
        let said = [
            Some(say!("Token {token}", token = self.token).into()),
            Some(name.into()),
            Some(self.outcome.clone()),
            is_lost_only_elsewhere.then(|| say!("turned away in another layer")),
            self.is_written.then(|| say!("written by the model")),
        ];
        said.into_iter().flatten().collect::<Vec<_>>().join(&say!(", ")).into()
    }
}

impl Cell for TokenCell {
    fn draw(&self, dispatch: &Callback<Action>) -> Html {
        let onclick = {
            let (dispatch, token) = (dispatch.clone(), self.token);
            Callback::from(move |_: MouseEvent| dispatch.emit(Action::Select { token, layer: None, expert: None }))
        };
        let part = match self.piece.part {
            Part::Whole => None,
            Part::Head => Some("is-head"),
            Part::Tail => Some("is-tail"),
            Part::Bytes => Some("is-bytes"),
        };
        let mark = self.mark();
        let class = classes!(
            "token",
            part,
            mark.map(Mark::class),
            self.is_written.then_some("is-written"),
            self.is_selected.then_some("is-selected"),
        );
        let tabindex = if self.is_selected { "0" } else { "-1" };
        let label = self.label();
        html! {
            <button key={self.token} type="button" {class} role="option" data-view="token"
                aria-selected={self.is_selected.to_string()} title={&label} {tabindex} {onclick}>
                <span class="hidden">{ label }</span>
                <span class="token-text" dir="auto" aria-hidden="true">{ visible(&self.piece.text) }</span>
                <span class={classes!("token-lane", self.first_is_lost.then_some("is-lost"))} aria-hidden="true">
                    { upward("level", f64::from(self.first) / 100.0) }
                    if let Some(second) = self.second {
                        { at_height(f64::from(second) / 100.0, html! { <b /> }) }
                    }
                </span>
                <span class="token-experts" aria-hidden="true">
                    if let Some(mark) = mark {
                        { glyph(mark) }
                    }
                    { self.experts() }
                    if mark.is_none() && self.lost_elsewhere {
                        <i class="elsewhere" />
                    }
                </span>
            </button>
        }
    }
}
