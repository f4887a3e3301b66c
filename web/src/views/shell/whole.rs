//! What the whole page has besides its panels. A figure's module is compiled without it.

use yew::prelude::*;

use crate::settings::offered::ControlName;
use crate::settings::view::PanelName;
use crate::state::{Action, State};
use crate::views::panel::{Depth, Panel};
use crate::views::shell::about::about;
use crate::views::shell::contents::contents;
use crate::views::shell::header::header;
use crate::views::shell::lesson::lesson_list;
use crate::views::shell::model_menu::model_chip;
use crate::views::shell::prompt_bar::{own_words, prompt_bar};
use crate::views::shell::tabs::tabs;

/// Above the panels.
pub fn head(state: &State, panels: impl Iterator<Item = &'static Panel>, dispatch: &Callback<Action>) -> Html {
    html! {
        <>
            { header(state, model_chip(state, dispatch), dispatch) }
            if !is_story(state) && !rests(state) {
                { prompt_bar(state, dispatch) }
            }
            { contents(panels) }
        </>
    }
}

/// Below them: in the story the prompt, for the reader's own words, and the lessons; where more is; on narrow screens tabs with what is written on them,
/// one of which is in front.
pub fn foot(state: &State, names: &[(PanelName, &'static str)], front: PanelName, dispatch: &Callback<Action>) -> Html {
    html! {
        <>
            if is_story(state) && !rests(state) {
                { own_words(state, dispatch) }
            }
            if is_story(state) && state.config().lesson.is_none() {
                { lesson_list(dispatch) }
            }
            { about() }
            { tabs(names, front, dispatch) }
        </>
    }
}

/// Does a lesson leave no prompt to write now?
fn rests(state: &State) -> bool {
    state.locked().has(ControlName::Prompt)
}

fn is_story(state: &State) -> bool {
    state.screen().depth == Depth::Story
}
