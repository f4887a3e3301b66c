//! A fact in the top line. A click, a tap or a key opens it and says more, where a mouse alone has a tooltip.

use yew::prelude::*;

use crate::views::parts::popup::Popup;

/// `more`: what there is to add; without it the chip does not open.
pub fn chip(class: Classes, more: Option<String>, facts: Html) -> Html {
    let class = classes!("chip", class);
    match more {
        None => html! { <div {class}>{ facts }</div> },
        Some(more) => {
            html! { <Popup {class} title={more.clone()} summary={facts}><p class="more" tabindex="-1">{ more }</p></Popup> }
        }
    }
}
