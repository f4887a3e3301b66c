//! Narrow screens show one view at a time.

use yew::prelude::*;

use crate::state::{Action, Tab};

#[derive(Properties, PartialEq)]
pub struct TabsProps {
    pub tab: Tab,
    pub dispatch: Callback<Action>,
}

const TABS: [(Tab, &str); 5] =
    [(Tab::Lanes, "Lanes"), (Tab::Layers, "Layers"), (Tab::Token, "Token"), (Tab::Load, "Load"), (Tab::Loss, "Loss")];

#[component]
pub fn Tabs(props: &TabsProps) -> Html {
    let entry = |&(tab, name): &(Tab, &'static str)| {
        let dispatch = props.dispatch.clone();
        let onclick = Callback::from(move |_: MouseEvent| dispatch.emit(Action::SetTab(tab)));
        html! {
            <button type="button" aria-pressed={(tab == props.tab).to_string()} {onclick}>{ name }</button>
        }
    };
    html! { <nav class="tabs" aria-label="Views">{ for TABS.iter().map(entry) }</nav> }
}
