//! A table of contents of the panels that have a row of their own below the others. It leads to them without scrolling
//! by hand, and stays in sight.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};
use yew::prelude::*;

use crate::browser::focus::focus_in_place;
use crate::views::panel::Panel;
use crate::words::tongue;

/// Nothing where no panel has such a row.
pub fn contents(panels: impl Iterator<Item = &'static Panel>) -> Html {
    let entries: Vec<Html> = panels.filter(|panel| panel.area == "row").map(entry).collect();
    if entries.is_empty() {
        return Html::default();
    }
    html! {
        <nav class="contents" aria-label={say!("Panels below")}>
            <span class="topic" aria-hidden="true">{ say!("Below") }</span>
            { for entries }
        </nav>
    }
}

fn entry(panel: &'static Panel) -> Html {
    let onclick = Callback::from(move |event: MouseEvent| {
        let page = event.target_dyn_into::<Element>().and_then(|button| button.closest(".page").ok()?);
        let found = page.and_then(|page| page.query_selector(&format!(".panel-{}", panel.name.as_str())).ok()?);
        let Some(found) = found.and_then(|found| found.dyn_into::<HtmlElement>().ok()) else { return };
        found.scroll_into_view();
        focus_in_place(&found);
    });
    html! { <button type="button" class="quiet" {onclick}>{ tongue::translated(panel.kind) }</button> }
}
