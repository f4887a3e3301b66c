//! The chip that names the model, and the list of others that opens from it.

use moe_trace::{ModelEntry, ModelInfo};
use yew::prelude::*;

use crate::run::text::plain;
use crate::settings::models::Choice;
use crate::state::engine::Kept;
use crate::state::{Action, Engine, State};
use crate::views::parts::popup::{Popup, close_around};
use crate::words::numbers;

/// The engine's model or, without one, that of the run on the screen; and while another one loads, that.
pub fn model_chip(state: &State, dispatch: &Callback<Action>) -> Html {
    let shown = state.latest().map(|latest| &latest.model);
    let wanted = state.wanted().map(|choice| &choice.entry);
    let is_first = state.model().is_none() && state.config().model.is_some();
    let is_coming = (is_first || state.next().is_some()) && state.menu().is_some();
    let facts = match (wanted.filter(|_| is_coming), state.model().or(shown)) {
        (Some(entry), _) => Facts::of_entry(entry),
        (None, Some(model)) => Facts::of_model(model, wanted.filter(|_| state.model().is_some())),
        (None, None) => return Html::default(),
    };
    let more = match state.menu() {
        None => html! {
            <div class="more" tabindex="-1"><p>{ &facts.more }</p>{ kept(state, dispatch) }</div>
        },
        Some(menu) => html! {
            <div class="more menu" tabindex="-1">
                <p class="fine">{ &facts.more }</p>
                <h2><span class="topic">{ "Models" }</span><span class="fine">{ "choosing a model downloads it" }</span></h2>
                <ul aria-label="Models">{ for menu.choices().iter().map(|choice| row(choice, state, dispatch)) }</ul>
                { kept(state, dispatch) }
            </div>
        },
    };
    let summary = html! { <><b>{ facts.name }</b><span>{ facts.experts }</span><span>{ facts.size }</span></> };
    html! {
        <Popup class="chip model" title={facts.more.clone()} {summary}>{ more }</Popup>
    }
}

/// What the browser keeps, and the way to be rid of it.
fn kept(state: &State, dispatch: &Callback<Action>) -> Html {
    let Some(Kept { bytes, why_not }) = state.kept() else { return Html::default() };
    let words = match (why_not, bytes) {
        (Some(why), _) => format!("A later visit downloads the model again: {why}."),
        (None, 0) => "Nothing of a model is kept in this browser.".to_owned(),
        (None, bytes) => format!("{} of models are kept in this browser.", numbers::bytes(*bytes)),
    };
    let dispatch = dispatch.clone();
    let onclick = move |_: MouseEvent| dispatch.emit(Action::RemoveKept);
    html! {
        <p class="kept fine">
            { words }
            if *bytes > 0 && state.engine().is_ready() {
                <button type="button" class="quiet" {onclick}>{ "Remove them" }</button>
            }
        </p>
    }
}

fn row(choice: &Choice, state: &State, dispatch: &Callback<Action>) -> Html {
    let entry = &choice.entry;
    let is_current = choice.manifest_url == state.config().manifest_url;
    let size = numbers::bytes(entry.download_bytes);
    let status = match (is_current, state.engine()) {
        (false, _) if state.next().is_some_and(|next| next.before.manifest_url == choice.manifest_url) => "in use · ",
        (false, _) => "",
        (true, _) if state.next().is_some() => "loading … · ",
        (true, Engine::Ready { .. }) => "in use · ",
        (true, Engine::Failed(_)) => "not loaded · ",
        (true, _) => "loading … · ",
    };
    let onclick = {
        let (dispatch, manifest_url) = (dispatch.clone(), choice.manifest_url.clone());
        Callback::from(move |event: MouseEvent| {
            close_around(&event);
            dispatch.emit(Action::ChooseModel { manifest_url: manifest_url.clone() });
        })
    };
    html! {
        <li key={choice.manifest_url.clone()}>
            <button type="button" aria-current={is_current.then_some("true")} {onclick}>
                <b dir="auto">{ &entry.title }</b>
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
        let shape = format!("{} × {experts}", model.num_layers);
        if model.num_parameters == 0 {
            // Of another program's run.
            let more = format!("{} layers of {experts}; nobody recorded more of it", model.num_layers);
            return Facts { name: plain(&model.name), experts: shape, size: String::new(), more };
        }
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
        Facts { name: plain(&model.name), experts: shape, size, more }
    }

    fn of_entry(entry: &ModelEntry) -> Facts {
        let experts = numbers::count(entry.num_experts as usize, "expert", "experts");
        let size = numbers::bytes(entry.download_bytes);
        let more = format!("{}; {experts}; {size} to load", plain(&entry.title));
        Facts { name: plain(&entry.name), experts, size, more }
    }
}
