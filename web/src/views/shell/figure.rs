//! What stands around the panels of a figure: the controls that were asked for and that none of its panels has, and a
//! line that says where the numbers come from and leads to the same picture in the full page.

use web_sys::{HtmlInputElement, HtmlTextAreaElement};
use yew::prelude::*;

use crate::browser::keys::press;
use crate::settings::Setting;
use crate::settings::offered::{ControlName, Offered};
use crate::settings::view::{PanelName, View};
use crate::state::{Action, State};
use crate::views::panel::PanelInput;
use crate::views::parts::routing_controls::routing_controls;
use crate::views::parts::transport::transport;
use crate::views::shell::header::engine_chip;

/// Nothing, unless the author names controls.
pub fn figure_bar(state: &State, dispatch: &Callback<Action>) -> Html {
    let Some(offered) = state.config().controls.filter(|offered| *offered != Offered::NONE) else {
        return Html::default();
    };
    let has_panel = |panel| match &state.config().view {
        View::Full => true,
        View::Panels(panels) => panels.contains(&panel),
    };
    let input = PanelInput::of(state, dispatch);
    let steps = input.as_ref().filter(|_| offered.has(ControlName::Step) && !has_panel(PanelName::Strip));
    let routing = input.as_ref().filter(|_| !has_panel(PanelName::Lanes));
    html! {
        <div class="figure-bar">
            if offered.has_any(&[ControlName::Prompt, ControlName::Run, ControlName::Seed]) {
                <div class="figure-run">
                    if offered.has(ControlName::Prompt) { { prompt(state, dispatch) } }
                    if offered.has(ControlName::Seed) { { seed(state, dispatch) } }
                    { run(state, dispatch) }
                </div>
            }
            { steps.map(transport).unwrap_or_default() }
            { routing.map(|input| routing_controls(&input.controls, dispatch)).unwrap_or_default() }
        </div>
    }
}

/// One line that grows with its text; Enter runs it.
fn prompt(state: &State, dispatch: &Callback<Action>) -> Html {
    let oninput = {
        let dispatch = dispatch.clone();
        Callback::from(move |event: InputEvent| {
            let field: HtmlTextAreaElement = event.target_unchecked_into();
            dispatch.emit(Action::Set(Setting::Prompt(field.value())));
        })
    };
    let onkeydown = {
        let dispatch = dispatch.clone();
        Callback::from(move |event: KeyboardEvent| {
            if press(&event).runs(event.shift_key()) {
                event.prevent_default();
                dispatch.emit(Action::Run { prompt: None });
            }
        })
    };
    html! {
        <label class="prompt-field">
            <textarea rows="1" dir="auto" spellcheck="false" autocomplete="off" aria-label="Prompt"
                value={state.settings().prompt.clone()} {oninput} {onkeydown} />
        </label>
    }
}

fn seed(state: &State, dispatch: &Callback<Action>) -> Html {
    let onchange = {
        let dispatch = dispatch.clone();
        Callback::from(move |event: Event| {
            let field: HtmlInputElement = event.target_unchecked_into();
            if let Ok(seed) = field.value().parse() {
                dispatch.emit(Action::Set(Setting::Seed(seed)));
            }
        })
    };
    html! {
        <label class="figure-seed">
            { "seed" }
            <input type="number" min="0" step="1" value={state.settings().seed.to_string()} {onchange} />
        </label>
    }
}

/// A field for the prompt or the seed is of no use without it.
fn run(state: &State, dispatch: &Callback<Action>) -> Html {
    let is_running = state.is_running();
    let onclick = {
        let dispatch = dispatch.clone();
        Callback::from(move |_: MouseEvent| {
            dispatch.emit(if is_running { Action::Stop } else { Action::Run { prompt: None } });
        })
    };
    let is_idle = if is_running { state.is_stopping() } else { !state.engine().is_ready() };
    html! {
        <button type="button" class="primary" disabled={is_idle} {onclick}>{ if is_running { "Stop" } else { "Run" } }</button>
    }
}

/// Where the numbers come from, and the way to the full page with all that is set and selected here.
pub fn figure_foot(state: &State) -> Html {
    let base = state.config().base_url.as_deref().unwrap_or("assets/").trim_end_matches('/');
    let href = format!("{base}/../#{}", state.shown(&state.trained_routing()).link());
    html! {
        <footer class="figure-foot">
            { engine_chip(state) }
            <a {href} target="_blank" rel="noopener">{ "open in the playground" }</a>
        </footer>
    }
}
