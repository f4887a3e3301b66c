//! Narrow screens show one panel at a time.

use yew::prelude::*;

use crate::settings::view::PanelName;
use crate::state::Action;
use crate::words::tongue;

/// `tabs`: each with what is written on it.
pub fn tabs(tabs: &[(PanelName, &'static str)], current: PanelName, dispatch: &Callback<Action>) -> Html {
    let entry = |&(panel, words): &(PanelName, &'static str)| {
        let dispatch = dispatch.clone();
        let onclick = Callback::from(move |_: MouseEvent| dispatch.emit(Action::SetTab(panel)));
        html! {
            <button type="button" aria-pressed={(panel == current).to_string()} {onclick}>{ tongue::translated(words) }</button>
        }
    };
    if tabs.len() < 2 {
        return Html::default();
    }
    html! { <nav class="tabs" aria-label={say!("Views")}>{ for tabs.iter().map(entry) }</nav> }
}
