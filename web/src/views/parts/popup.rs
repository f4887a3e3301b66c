//! A box that opens over the page from a summary, and goes away by itself: at most one is open. A press or the focus
//! elsewhere closes it, and so does Escape.
//!
//! It is a `<details>`, which the keyboard, screen readers and the first paint know. The platform's `popover` would lie
//! in the top layer, where only anchor positioning could place it, and not every browser has that.
//!
//! What opens is the child `.more`, with a `tabindex`: a press inside it keeps the focus there, where Escape is heard.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlElement, Node};
use yew::prelude::*;

use crate::browser::focus::focus_in_place;
use crate::browser::keys::press;
use crate::browser::presses::Presses;

#[derive(Properties, PartialEq)]
pub struct PopupProps {
    pub class: Classes,
    pub title: AttrValue,
    pub summary: Html,
    pub children: Html,
}

#[component]
pub fn Popup(props: &PopupProps) -> Html {
    let details = use_node_ref();
    use_effect_with((), {
        let details = details.clone();
        move |()| {
            let presses = Presses::listen(move |event| {
                if let Some(details) = details.cast::<HtmlElement>()
                    && !event.composed_path().includes(&JsValue::from(&details), 0)
                {
                    close(&details);
                }
            });
            move || drop(presses)
        }
    });
    html! {
        <details class={props.class.clone()} ref={details} onkeydown={Callback::from(on_key)}
            onfocusout={Callback::from(on_focus_out)}>
            <summary title={&props.title}>{ props.summary.clone() }</summary>
            { props.children.clone() }
        </details>
    }
}

/// Closes the pop-up that an event comes from.
pub fn close_around(event: &Event) {
    if let Some(details) = details_of(event) {
        close(&details);
    }
}

fn details_of(event: &Event) -> Option<HtmlElement> {
    let target = event.target_dyn_into::<Element>()?;
    target.closest("details:has(> .more)").ok()??.dyn_into().ok()
}

/// Escape closes the pop-up; where it is a list of buttons, the arrows go through it.
fn on_key(event: KeyboardEvent) {
    let Some(details) = details_of(&event).filter(|details| details.has_attribute("open")) else { return };
    let press = press(&event);
    let step = match press.plain().unwrap_or_default() {
        "Escape" => {
            event.prevent_default();
            return close(&details);
        }
        "ArrowDown" => 1,
        "ArrowUp" => -1,
        _ => return,
    };
    let Ok(buttons) = details.query_selector_all("button") else { return };
    let here = (0..buttons.length()).find(|&at| buttons.item(at) == event.target_dyn_into::<Node>());
    let there = match here {
        Some(here) => here.saturating_add_signed(step).min(buttons.length().saturating_sub(1)),
        None => 0,
    };
    if let Some(button) = buttons.item(there).and_then(|node| node.dyn_into::<HtmlElement>().ok()) {
        event.prevent_default();
        focus_in_place(&button);
    }
}

/// Closes the pop-up when the focus goes elsewhere. A window that loses the focus closes nothing.
fn on_focus_out(event: FocusEvent) {
    let to = event.related_target().and_then(|target| target.dyn_into::<Node>().ok());
    if let (Some(details), Some(to)) = (details_of(&event), to)
        && !details.contains(Some(&to))
    {
        close(&details);
    }
}

/// The focus goes back to where the pop-up was opened.
fn close(details: &HtmlElement) {
    let had_focus = details.matches(":focus-within").unwrap_or(false);
    // An element without the attribute is closed already.
    let _ = details.remove_attribute("open");
    if had_focus && let Ok(Some(summary)) = details.query_selector("summary") {
        focus_in_place(&summary.unchecked_into());
    }
}
