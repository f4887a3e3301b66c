//! The whole page as a function of the state.

use yew::prelude::*;

use crate::run::shared::Shared;
use crate::state::{Action, State};
use crate::views::badges::ForeignModel;
use crate::views::capacity_lanes::capacity_lanes;
use crate::views::findings;
use crate::views::header::header;
use crate::views::help::help;
use crate::views::layer_matrix::LayerMatrix;
use crate::views::layer_table::layer_table;
use crate::views::load_chart::LoadChart;
use crate::views::loss_chart::LossChart;
use crate::views::model_menu::ModelChip;
use crate::views::notice::notice;
use crate::views::panel::Panel;
use crate::views::prompt_bar::prompt_bar;
use crate::views::tabs::tabs;
use crate::views::token_panel::TokenPanel;
use crate::views::token_strip::TokenStrip;

#[derive(Properties, PartialEq)]
pub struct PageProps {
    pub state: Shared<State>,
    pub dispatch: Callback<Action>,
}

#[component]
pub fn Page(props: &PageProps) -> Html {
    let state = &props.state;
    let dispatch = &props.dispatch;
    let on_screen = state.on_screen();
    let foreign = ForeignModel(on_screen.and_then(|run| state.foreign_model(run)).map(|name| name.to_owned().into()));
    let screen = state.screen();
    html! {
        <div class="moe" data-theme={screen.theme.name()}>
            <div class="page" data-tab={screen.tab.name()}>
                { header(state, model_chip(props), dispatch) }
                { prompt_bar(state, dispatch) }
                <ContextProvider<ForeignModel> context={foreign}>{ views(props) }</ContextProvider<ForeignModel>>
                { tabs(screen.tab, dispatch) }
                // It stays at the lower edge of the window and takes no room.
                <div class="overlay">
                    { notice(state, dispatch) }
                    if screen.help_open {
                        { help(dispatch) }
                    }
                </div>
                { summary(state) }
            </div>
        </div>
    }
}

fn model_chip(props: &PageProps) -> Html {
    let state = &props.state;
    let shown = state.latest().map(|latest| &latest.model);
    let is_coming = state.model().is_none() && state.config().model.is_some() && state.menu().is_some();
    let chip = ModelChip {
        model: state.model().or(shown).map(|model| &**model),
        loaded: state.wanted().filter(|_| state.model().is_some()).map(|choice| &choice.entry),
        coming: state.wanted().filter(|_| is_coming).map(|choice| &choice.entry),
        menu: state.menu().map(|menu| &**menu),
        manifest_url: &state.config().manifest_url,
        engine: state.engine(),
        dispatch: &props.dispatch,
    };
    chip.html()
}

fn views(props: &PageProps) -> Html {
    let state = &props.state;
    let (selection, dispatch) = (state.selection(), props.dispatch.clone());
    let Some(scene) = state.scene().cloned().filter(|scene| !scene.layers.is_empty()) else {
        return waiting(state);
    };
    html! {
        <>
            <TokenStrip scene={scene.clone()} {selection} playback={state.playback()}
                num_steps={state.on_screen().map_or(0, |run| run.steps.len())}
                finished={state.on_screen().and_then(|run| run.finished)}
                can_flip={state.against().is_some()}
                flipped={state.runs().looks_back()} dispatch={dispatch.clone()} />
            <LayerMatrix scene={scene.clone()} {selection} tab={state.screen().tab} dispatch={dispatch.clone()} />
            { capacity_lanes(&scene, state, &dispatch) }
            <TokenPanel scene={scene.clone()} {selection} dispatch={dispatch.clone()} />
            <LoadChart scene={scene.clone()} {selection} dispatch={dispatch.clone()} />
            <LossChart scene={scene.clone()} change={state.change().cloned()} flipped={state.runs().looks_back()} {selection} dispatch={dispatch.clone()} />
            { layer_table(&scene, selection, &dispatch) }
        </>
    }
}

/// The same places, empty: nothing moves when the first step arrives.
fn waiting(state: &State) -> Html {
    let title = if state.engine().can_run() { "Waiting for the first run" } else { "There is no run to show" };
    let areas = [
        ("strip", "Tokens"),
        ("layers", "Layers × tokens"),
        ("lanes", "Capacity lanes"),
        ("token", "Token"),
        ("load", "Load"),
        ("loss", "Passage loss"),
        ("counts", "All layers"),
    ];
    html! { { for areas.map(|(area, topic)| html! { <Panel {area} {topic} {title} /> }) } }
}

/// For the ears: the selected token, once things have come to rest.
fn summary(state: &State) -> Html {
    let is_calm = !state.playback().playing && !state.is_running();
    let sentence = state.scene().filter(|_| is_calm).and_then(|scene| {
        let layer = scene.layers.get(state.selection().layer)?;
        Some(findings::spoken_token(scene, layer, state.selection().token))
    });
    html! { <p class="hidden" role="status" aria-live="polite">{ sentence.unwrap_or_default() }</p> }
}
