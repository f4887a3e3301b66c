//! The whole page as a function of the state: the shell, and the panels that the element's `view` asks for.

use yew::prelude::*;

use crate::run::shared::Shared;
use crate::settings::view::View;
use crate::state::{Action, State};
use crate::views::frame::Frame;
use crate::views::panel::{Depth, Panel, PanelInput};
use crate::views::panels;
use crate::views::parts::spoken::spoken_token;
use crate::views::shell::figure::{figure_bar, figure_foot};
use crate::views::shell::header::header;
use crate::views::shell::help::help;
use crate::views::shell::model_menu::model_chip;
use crate::views::shell::notice::notice;
use crate::views::shell::prompt_bar::prompt_bar;
use crate::views::shell::tabs::tabs;

/// How deep the whole page goes.
const DEPTH: Depth = Depth::Inspect;

#[derive(Properties, PartialEq)]
pub struct PageProps {
    pub state: Shared<State>,
    pub dispatch: Callback<Action>,
}

#[component]
pub fn Page(props: &PageProps) -> Html {
    let (state, dispatch) = (&*props.state, &props.dispatch);
    let screen = state.screen();
    let is_whole = state.config().view == View::Full;
    html! {
        <div class="moe" data-theme={screen.theme.name()}>
            <div class={classes!("page", (!is_whole).then_some("is-figure"))}>
                if is_whole {
                    { header(state, model_chip(state, dispatch), dispatch) }
                    { prompt_bar(state, dispatch) }
                }
                { for frames(state, dispatch) }
                if !is_whole {
                    { figure_bar(state, dispatch) }
                    { figure_foot(state) }
                }
                if is_whole {
                    { tabs(&panels::tabs(DEPTH), screen.tab, dispatch) }
                }
                // It stays at the lower edge of the window and takes no room.
                <div class="overlay">
                    { notice(state, dispatch) }
                    if screen.help_open {
                        { help(state.config().no_letter_keys, dispatch) }
                    }
                </div>
                { summary(state) }
            </div>
        </div>
    }
}

/// The panels in their places. The places are there before the first step: nothing moves when it arrives.
fn frames(state: &State, dispatch: &Callback<Action>) -> Vec<Html> {
    let input = PanelInput::of(state, dispatch);
    let waiting = if state.engine().can_run() { "Waiting for the first run" } else { "There is no run to show" };
    let view = &state.config().view;
    let frame = |panel: &'static Panel| {
        let is_behind = *view == View::Full && !panel.is_in_front(state.screen().tab);
        html! { <Frame {panel} {is_behind} input={input.clone()} {waiting} /> }
    };
    panels::shown(view, DEPTH).map(frame).collect()
}

/// For screen readers: the selected token, once nothing moves any more.
fn summary(state: &State) -> Html {
    let is_calm = !state.playback().playing && !state.is_running();
    let sentence = state.scene().filter(|_| is_calm).and_then(|scene| {
        let layer = scene.layers.get(state.selection().layer)?;
        Some(spoken_token(scene, layer, state.selection().token))
    });
    html! { <p class="hidden" role="status" aria-live="polite">{ sentence.unwrap_or_default() }</p> }
}
