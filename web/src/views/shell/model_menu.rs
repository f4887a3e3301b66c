//! The chip that names the model, and the list of others that opens from it.

use moe_trace::{ModelEntry, ModelInfo};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, Node};
use yew::prelude::*;

use crate::browser::keys::press;
use crate::settings::models::Choice;
use crate::state::{Action, Engine, State};
use crate::words::numbers;

/// The engine's model or, without one, that of the run on the screen; and while another one loads, that.
pub fn model_chip(state: &State, dispatch: &Callback<Action>) -> Html {
    let shown = state.latest().map(|latest| &latest.model);
    let wanted = state.wanted().map(|choice| &choice.entry);
    let is_coming = state.model().is_none() && state.config().model.is_some() && state.menu().is_some();
    let facts = match (wanted.filter(|_| is_coming), state.model().or(shown)) {
        (Some(entry), _) => Facts::of_entry(entry),
        (None, Some(model)) => Facts::of_model(model, wanted.filter(|_| state.model().is_some())),
        (None, None) => return Html::default(),
    };
    let more = match state.menu() {
        None => html! { <p class="more">{ &facts.more }</p> },
        Some(menu) => html! {
            <div class="more menu" tabindex="-1">
                <p class="fine">{ &facts.more }</p>
                <h2><span class="topic">{ "Models" }</span><span class="fine">{ "choosing a model downloads it" }</span></h2>
                <ul aria-label="Models">{ for menu.choices().iter().map(|choice| row(choice, state, dispatch)) }</ul>
            </div>
        },
    };
    html! {
        <details class="chip model" onkeydown={Callback::from(on_key)} onfocusout={Callback::from(on_focus_out)}>
            <summary title={facts.more.clone()}>
                <b>{ facts.name }</b><span>{ facts.experts }</span><span>{ facts.size }</span>
            </summary>
            { more }
        </details>
    }
}

fn row(choice: &Choice, state: &State, dispatch: &Callback<Action>) -> Html {
    let entry = &choice.entry;
    let is_current = choice.manifest_url == state.config().manifest_url;
    let size = numbers::bytes(entry.download_bytes);
    let status = match (is_current, state.engine()) {
        (false, _) => "",
        (true, Engine::Ready { .. }) => "in use · ",
        (true, Engine::Failed(_)) => "not loaded · ",
        (true, _) => "loading … · ",
    };
    let onclick = {
        let (dispatch, manifest_url) = (dispatch.clone(), choice.manifest_url.clone());
        Callback::from(move |event: MouseEvent| {
            if let Some(details) = details_of(&event) {
                close(&details);
            }
            dispatch.emit(Action::ChooseModel { manifest_url: manifest_url.clone() });
        })
    };
    html! {
        <li key={choice.manifest_url.clone()}>
            <button type="button" aria-current={is_current.then_some("true")} {onclick}>
                <b>{ &entry.title }</b>
                <span class="size">{ status }{ size }</span>
                <span class="facts">
                    <code>{ &entry.rule }</code>
                    { format!(" · {} · {} parameters, {} active",
                        numbers::count(entry.num_experts as usize, "expert", "experts"),
                        numbers::parameters(entry.num_parameters), numbers::parameters(entry.num_active_parameters)) }
                    if let Some(budget) = entry.training_tokens {
                        { format!(" · trained on {}", numbers::training_tokens(budget)) }
                    }
                </span>
            </button>
        </li>
    }
}

/// What the chip says of a model, short and long.
struct Facts {
    name: String,
    experts: String,
    size: String,
    more: String,
}

impl Facts {
    /// Of the model itself only the weights' size is known; the list counts all that is downloaded.
    fn of_model(model: &ModelInfo, entry: Option<&ModelEntry>) -> Facts {
        let experts = numbers::count(model.num_experts as usize, "expert", "experts");
        let more = format!(
            "{} parameters, {} active per token; {} layers of {experts}{}; weights {}",
            numbers::parameters(model.num_parameters),
            numbers::parameters(model.num_active_parameters),
            model.num_layers,
            model
                .training_tokens
                .map_or_else(String::new, |budget| { format!("; trained on {}", numbers::training_tokens(budget)) }),
            model.weights_sha256.get(..12).unwrap_or(&model.weights_sha256),
        );
        let size = numbers::bytes(entry.map_or(model.weights_bytes, |entry| entry.download_bytes));
        Facts { name: model.name.clone(), experts: format!("{} × {experts}", model.num_layers), size, more }
    }

    fn of_entry(entry: &ModelEntry) -> Facts {
        let experts = numbers::count(entry.num_experts as usize, "expert", "experts");
        let size = numbers::bytes(entry.download_bytes);
        let more = format!("{}; {experts}; {size} to load", entry.title);
        Facts { name: entry.name.clone(), experts, size, more }
    }
}

/// The chip that an event comes from.
fn details_of(event: &Event) -> Option<HtmlElement> {
    let target = event.target_dyn_into::<Element>()?;
    target.closest("details").ok()??.dyn_into().ok()
}

/// Escape closes the menu; the arrows go through it as through any list.
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
        // A button can always take the focus.
        let _ = button.focus();
    }
}

/// Closes the menu when the focus leaves it.
fn on_focus_out(event: FocusEvent) {
    let to = event.related_target().and_then(|target| target.dyn_into::<Node>().ok());
    if let (Some(details), Some(to)) = (details_of(&event), to)
        && !details.contains(Some(&to))
    {
        close(&details);
    }
}

/// The focus goes back to where the menu was opened.
fn close(details: &HtmlElement) {
    let had_focus = details.matches(":focus-within").unwrap_or(false);
    // An element without the attribute is closed already.
    let _ = details.remove_attribute("open");
    if had_focus && let Ok(Some(summary)) = details.query_selector("summary") {
        // A summary can always take the focus.
        let _ = summary.unchecked_into::<HtmlElement>().focus();
    }
}
