//! A fact in the top line. A click, a tap or a key opens it and says more, where a mouse alone has a tooltip.

use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct ChipProps {
    #[prop_or_default]
    pub class: Classes,
    /// What there is to add; without it the chip does not open.
    pub more: Option<String>,
    pub children: Html,
}

#[component]
pub fn Chip(props: &ChipProps) -> Html {
    let Some(more) = &props.more else {
        return html! { <div class={classes!("chip", props.class.clone())}>{ props.children.clone() }</div> };
    };
    html! {
        <details class={classes!("chip", props.class.clone())}>
            <summary title={more.clone()}>{ props.children.clone() }</summary>
            <p class="more">{ more }</p>
        </details>
    }
}
