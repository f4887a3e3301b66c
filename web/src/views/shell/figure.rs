//! What stands around the panels of a figure: the controls that were asked for and that none of its panels has, and a
//! line that says where the numbers come from and leads to the same picture in the full page.

use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::settings::Setting;
use crate::settings::offered::{ControlName, Offered};
use crate::settings::shown::Shown;
use crate::settings::view::{PanelName, View};
use crate::state::{Action, State};
use crate::views::panel::PanelInput;
use crate::views::parts::badges::changes_badge;
use crate::views::parts::routing_controls::routing_controls;
use crate::views::parts::surgery::surgery;
use crate::views::parts::transport::transport;
use crate::views::shell::engine::engine_chip;
use crate::views::shell::prompt_field::{prompt_field, run_button};

/// Nothing, unless the author names controls.
pub fn figure_bar(state: &State, dispatch: &Callback<Action>) -> Html {
    let stand_here = |offered: &Offered| {
        ControlName::ALL.iter().any(|&control| control != ControlName::Save && offered.has(control))
    };
    let Some(offered) = state.config().controls.filter(stand_here) else { return Html::default() };
    let has_panel = |panel| match &state.config().view {
        View::Full => true,
        View::Panels(panels) => panels.contains(&panel),
    };
    let input = PanelInput::of(state, dispatch, &Callback::noop());
    let steps = input.as_ref().filter(|_| offered.has(ControlName::Step) && !has_panel(PanelName::Strip));
    let routing = input.as_ref().filter(|_| !has_panel(PanelName::Lanes));
    let inside = input.as_ref().filter(|_| !has_panel(PanelName::Token));
    html! {
        <div class="figure-bar">
            if offered.has_any(&[ControlName::Prompt, ControlName::Run, ControlName::Seed]) {
                <div class="figure-run" part="controls">
                    if offered.has(ControlName::Prompt) { { prompt_field(state, Html::default(), dispatch) } }
                    if offered.has(ControlName::Seed) { { seed(state, dispatch) } }
                    // A field for the prompt or the seed is of no use without it.
                    { run_button(state, dispatch) }
                </div>
            }
            { steps.map(transport).unwrap_or_default() }
            { routing.map(|input| routing_controls(&input.controls, dispatch)).unwrap_or_default() }
            { inside.map(surgery).unwrap_or_default() }
        </div>
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
            { say!("seed") }
            <input type="number" min="0" step="1" value={state.settings().seed.to_string()} {onchange} />
        </label>
    }
}

/// Where the numbers come from, and the way to the full page with all that is set and selected here.
pub fn figure_foot(state: &State) -> Html {
    let base = state.config().base_url.as_deref().unwrap_or("assets/").trim_end_matches('/');
    let trained = state.trained_routing();
    // The page has all panels.
    let shown = Shown { view: None, ..state.shown(&trained) };
    let href = format!("{base}/../#{}", shown.link());
    let can_save = state.config().controls.is_some_and(|offered| offered.has(ControlName::Save));
    html! {
        <footer class="figure-foot" part="foot">
            { engine_chip(state) }
            { state.on_screen().map(|run| changes_badge(&run.request.interventions)).unwrap_or_default() }
            if can_save {
                <button type="button" class="quiet" data-open="save">{ say!("Save") }</button>
            }
            // Another program's run is in no link: there the same settings would be those of a model of ours.
            if state.on_screen().is_none_or(|run| run.foreign.is_none()) {
                <a {href} target="_blank" rel="noopener">{ say!("open in the playground") }</a>
            }
        </footer>
    }
}
