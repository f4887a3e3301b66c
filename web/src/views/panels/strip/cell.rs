//! One token of the strip: its text, what became of it, and how sure the gate was of its first and second choice.

use yew::prelude::*;

use crate::run::text::Part;
use crate::state::Action;
use crate::views::parts::glyph::{Mark, glyph};
use crate::views::parts::sized::{at_height, upward};

#[derive(Properties, PartialEq, Clone)]
pub struct TokenCellProps {
    pub token: usize,
    pub text: AttrValue,
    pub part: Part,
    /// Only what deserves a mark.
    pub mark: Option<Mark>,
    /// A request was turned away in another layer than the one shown.
    pub lost_elsewhere: bool,
    /// How sure the rule was of the first and the second choice, in whole percents: for most, gate probabilities.
    pub first: u8,
    /// Was the first choice turned away?
    pub first_is_lost: bool,
    pub second: Option<u8>,
    /// The experts requested: `1·5`, `1·5+6` where there are six more, `–` for none.
    pub experts: AttrValue,
    pub label: AttrValue,
    pub is_written: bool,
    pub is_selected: bool,
    pub dispatch: Callback<Action>,
}

#[component]
pub fn TokenCell(props: &TokenCellProps) -> Html {
    let onclick = {
        let (dispatch, token) = (props.dispatch.clone(), props.token);
        Callback::from(move |_: MouseEvent| dispatch.emit(Action::Select { token, layer: None, expert: None }))
    };
    let part = match props.part {
        Part::Whole => None,
        Part::Head => Some("is-head"),
        Part::Tail => Some("is-tail"),
        Part::Bytes => Some("is-bytes"),
    };
    let class = classes!(
        "token",
        part,
        props.mark.map(Mark::class),
        props.is_written.then_some("is-written"),
        props.is_selected.then_some("is-selected"),
    );
    let tabindex = if props.is_selected { "0" } else { "-1" };
    html! {
        <button type="button" {class} role="option" data-view="token" aria-selected={props.is_selected.to_string()}
            title={&props.label} {tabindex} {onclick}>
            <span class="hidden">{ &props.label }</span>
            <span class="token-text" dir="auto" aria-hidden="true">{ &props.text }</span>
            <span class={classes!("token-lane", props.first_is_lost.then_some("is-lost"))} aria-hidden="true">
                { upward("level", f64::from(props.first) / 100.0) }
                if let Some(second) = props.second {
                    { at_height(f64::from(second) / 100.0, html! { <b /> }) }
                }
            </span>
            <span class="token-experts" aria-hidden="true">
                if let Some(mark) = props.mark {
                    { glyph(mark) }
                }
                { &props.experts }
                if props.mark.is_none() && props.lost_elsewhere {
                    <i class="elsewhere" />
                }
            </span>
        </button>
    }
}
