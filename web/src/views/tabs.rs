//! Narrow screens show one view at a time.

use yew::prelude::*;

use crate::state::{Action, Tab};

const TABS: [(Tab, &str); 5] =
    [(Tab::Lanes, "Lanes"), (Tab::Layers, "Layers"), (Tab::Token, "Token"), (Tab::Load, "Load"), (Tab::Loss, "Loss")];

pub fn tabs(current: Tab, dispatch: &Callback<Action>) -> Html {
    let entry = |&(tab, name): &(Tab, &'static str)| {
        let dispatch = dispatch.clone();
        let onclick = Callback::from(move |_: MouseEvent| dispatch.emit(Action::SetTab(tab)));
        html! {
            <button type="button" aria-pressed={(tab == current).to_string()} {onclick}>{ name }</button>
        }
    };
    html! { <nav class="tabs" aria-label="Views">{ for TABS.iter().map(entry) }</nav> }
}
