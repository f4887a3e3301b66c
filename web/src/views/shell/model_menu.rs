//! The chip that names the model, and the list of others that opens from it.

use moe_trace::{ModelEntry, ModelInfo};
use yew::prelude::*;

use crate::run::text::plain;
use crate::settings::models::Choice;
use crate::state::engine::Kept;
use crate::state::{Action, Engine, State};
use crate::views::parts::popup::{Popup, close_around};
use crate::words::{numbers, tongue};

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
                <h2><span class="topic">{ say!("Models") }</span><span class="fine">{ say!("choosing a model downloads it") }</span></h2>
                <ul aria-label={say!("Models")}>{ for menu.choices().iter().map(|choice| row(choice, state, dispatch)) }</ul>
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
        (Some(why), _) => say!("A later visit downloads the model again: {why}.", why).into(),
        (None, 0) => say!("Nothing of a model is kept in this browser."),
        (None, bytes) => say!("{size} of models are kept in this browser.", size = numbers::bytes(*bytes)).into(),
    };
    let dispatch = dispatch.clone();
    let onclick = move |_: MouseEvent| dispatch.emit(Action::RemoveKept);
    html! {
        <p class="kept fine">
            { words }
            if *bytes > 0 && state.engine().is_ready() {
                <button type="button" class="quiet" {onclick}>{ say!("Remove them") }</button>
            }
        </p>
    }
}

fn row(choice: &Choice, state: &State, dispatch: &Callback<Action>) -> Html {
    let entry = &choice.entry;
    let is_current = choice.manifest_url == state.config().manifest_url;
    let size = numbers::bytes(entry.download_bytes);
    let status = match (is_current, state.engine()) {
        (false, _) if state.next().is_some_and(|next| next.before.manifest_url == choice.manifest_url) => {
            Some(say!("in use"))
        }
        (false, _) => None,
        (true, _) if state.next().is_some() => Some(say!("loading …")),
        (true, Engine::Ready { .. }) => Some(say!("in use")),
        (true, Engine::Failed(_)) => Some(say!("not loaded")),
        (true, _) => Some(say!("loading …")),
    };
    let status = status.map(|status| format!("{status} · "));
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
                <b dir="auto">{ tongue::translated(&entry.title).into_owned() }</b>
                <span class="size">{ status }{ size }</span>
                <span class="facts">
                    <code>{ &entry.rule }</code>
                    { format!(" · {} · {}", many!(entry.num_experts, "{n} expert", "{n} experts"),
                        say!("{all} parameters, {active} active", all = numbers::parameters(entry.num_parameters),
                            active = numbers::parameters(entry.num_active_parameters))) }
                    if let Some(budget) = entry.training_tokens {
                        { format!(" · {}", say!("trained on {tokens}", tokens = numbers::training_tokens(budget))) }
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
        let experts = many!(model.num_experts, "{n} expert", "{n} experts");
        let shape = format!("{} × {experts}", model.num_layers);
        if model.num_parameters == 0 {
            // Of another program's run.
            let more =
                say!("{layers} layers of {experts}; nobody recorded more of it", layers = model.num_layers, experts);
            return Facts { name: plain(&model.name), experts: shape, size: String::new(), more };
        }
        let (all, active) =
            (numbers::parameters(model.num_parameters), numbers::parameters(model.num_active_parameters));
        let layers = model.num_layers;
        let weights = model.weights_sha256.get(..12).unwrap_or(&model.weights_sha256);
        let more = match model.training_tokens.map(numbers::training_tokens) {
            Some(tokens) => say!(
                "{all} parameters, {active} active per token; {layers} layers of {experts}; trained on {tokens}; weights {weights}",
                all,
                active,
                layers,
                experts,
                tokens,
                weights,
            ),
            None => say!(
                "{all} parameters, {active} active per token; {layers} layers of {experts}; weights {weights}",
                all,
                active,
                layers,
                experts,
                weights,
            ),
        };
        let size = numbers::bytes(entry.map_or(model.weights_bytes, |entry| entry.download_bytes));
        Facts { name: plain(&model.name), experts: shape, size, more }
    }

    fn of_entry(entry: &ModelEntry) -> Facts {
        let experts = many!(entry.num_experts, "{n} expert", "{n} experts");
        let size = numbers::bytes(entry.download_bytes);
        let more =
            say!("{title}; {experts}; {size} to load", title = plain(&tongue::translated(&entry.title)), experts, size);
        Facts { name: plain(&entry.name), experts, size, more }
    }
}
