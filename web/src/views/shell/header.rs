//! The top line: name, depth, model, engine and its speed, theme, help.

use yew::prelude::*;

use crate::state::progress::Waiting;
use crate::state::{Action, State, Theme};
use crate::views::parts::at_rest::AtRest;
use crate::views::parts::sized::across;
use crate::views::shell::depths::depths;
use crate::views::shell::engine::{engine_chip, engine_words};
use crate::views::shell::languages::languages;
use crate::views::shell::notice::way_out;

/// `model`: the chip that names it.
pub fn header(state: &State, model: Html, dispatch: &Callback<Action>) -> Html {
    let act = |action: Action| {
        let dispatch = dispatch.clone();
        Callback::from(move |_: MouseEvent| dispatch.emit(action.clone()))
    };
    let theme = state.screen().theme;
    let (next_theme, theme_words) = match theme {
        Theme::System => (Theme::Light, say!("Theme: auto")),
        Theme::Light => (Theme::Dark, say!("Theme: light")),
        Theme::Dark => (Theme::System, say!("Theme: dark")),
    };
    html! {
        <header class="top">
            <h1 class="wordmark">{ wordmark() }<span>{ "MoE Playground" }</span></h1>
            { depths(state.screen().depth, dispatch) }
            <div class="chips">
                { model }
                { engine_chip(state) }
                { way_out(state, dispatch) }
            </div>
            { languages(state.speech().chosen(), dispatch) }
            <div class="furniture">
                // The element carries them out (`www/packages/moe-playground/src/export`).
                <button type="button" class="quiet" data-open="save">{ say!("Save") }</button>
                <button type="button" class="quiet" data-open="share">{ say!("Share") }</button>
                <button type="button" class="quiet" title={say!("Colours: as in the system, light, or dark")}
                    onclick={act(Action::SetTheme(next_theme))}>{ theme_words }</button>
                <button type="button" class="quiet" aria-expanded={state.screen().help_open.to_string()}
                    onclick={act(Action::ToggleHelp)}>{ say!("Keys") }<kbd>{ "?" }</kbd></button>
            </div>
            { progress_bar(state.waiting()) }
            <AtRest words={spoken(state.waiting(), engine_words(state))} />
        </header>
    }
}

/// Four experts, one of them full.
fn wordmark() -> Html {
    html! {
        <svg class="logo" viewBox="0 0 28 20" width="28" height="20" aria-hidden="true">
            <path class="solid" d="M1 3h5v14H1zM8 3h5v14H8z" />
            <path class="line" d="M15.5 3.5h1.2l.8 2 .8-2h1.2v13h-4z" />
            <path class="half" d="M22 10h5v7h-5z" />
            <path class="line" d="M22.5 3.5h4v13h-4z" />
        </svg>
    }
}

/// For screen readers: of a download only its quarters.
fn spoken(waiting: Option<Waiting>, words: String) -> String {
    match waiting {
        Some(Waiting { loaded_bytes, total_bytes, .. }) if loaded_bytes < total_bytes => {
            let quarters = u64::from(loaded_bytes) * 4 / u64::from(total_bytes.max(1));
            say!("{percent} % of engine and model are loaded", percent = quarters * 25)
        }
        _ => words,
    }
}

/// A byte-exact bar along the lower edge; it takes no room.
fn progress_bar(waiting: Option<Waiting>) -> Html {
    let Some(Waiting { loaded_bytes, total_bytes, .. }) = waiting else { return Html::default() };
    let share = f64::from(loaded_bytes) / f64::from(total_bytes.max(1));
    html! {
        <div class="progress" role="progressbar" aria-label={say!("Loading engine and model")} aria-valuemin="0"
            aria-valuemax={total_bytes.to_string()} aria-valuenow={loaded_bytes.to_string()}>
            { across("fill", share) }
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(loaded_bytes: u32, total_bytes: u32) -> Option<Waiting> {
        Some(Waiting { loaded_bytes, total_bytes, from_cache: false, seconds_left: None })
    }

    /// Whatever pieces it comes in.
    #[test]
    fn a_download_is_spoken_at_its_quarters() {
        for total in [4, 1000, 4_999_999, u32::MAX] {
            let loaded = (0..1000).map(|part| (u64::from(total) * part / 1000) as u32);
            let mut said: Vec<String> =
                loaded.map(|loaded| spoken(waiting(loaded, total), "loading".to_owned())).collect();
            said.dedup();
            let expected = [0, 25, 50, 75].map(|percent| format!("{percent} % of engine and model are loaded"));
            assert_eq!(said, expected, "of {total} bytes");
        }
        assert_eq!(spoken(waiting(9, 9), "preparing".to_owned()), "preparing");
        assert_eq!(spoken(None, "live".to_owned()), "live");
    }
}
