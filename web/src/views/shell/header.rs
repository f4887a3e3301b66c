//! The top line: name, depth, model, engine and its speed, theme, help.

use moe_trace::{Rung, Source};
use yew::prelude::*;

use crate::state::progress::Waiting;
use crate::state::{Action, Engine, State, Theme};
use crate::views::parts::at_rest::AtRest;
use crate::views::parts::sized::across;
use crate::views::shell::chip::chip;
use crate::views::shell::depths::depths;
use crate::words::numbers;

/// `model`: the chip that names it.
pub fn header(state: &State, model: Html, dispatch: &Callback<Action>) -> Html {
    let act = |action: Action| {
        let dispatch = dispatch.clone();
        Callback::from(move |_: MouseEvent| dispatch.emit(action.clone()))
    };
    let theme = state.screen().theme;
    let (next_theme, theme_name) = match theme {
        Theme::System => (Theme::Light, "auto"),
        Theme::Light => (Theme::Dark, theme.name()),
        Theme::Dark => (Theme::System, theme.name()),
    };
    html! {
        <header class="top">
            <h1 class="wordmark">{ wordmark() }<span>{ "MoE Playground" }</span></h1>
            { depths(state.screen().depth, dispatch) }
            <div class="chips">
                { model }
                { engine_chip(state) }
                if matches!(state.engine(), Engine::Failed(_)) {
                    <button type="button" class="quiet" onclick={act(Action::Retry)}>{ "Retry" }</button>
                }
            </div>
            <div class="furniture">
                // The element carries them out (`www/packages/moe-playground/src/export`).
                <button type="button" class="quiet" data-open="save">{ "Save" }</button>
                <button type="button" class="quiet" data-open="share">{ "Share" }</button>
                <button type="button" class="quiet" title="Colours: as in the system, light, or dark"
                    onclick={act(Action::SetTheme(next_theme))}>{ format!("Theme: {theme_name}") }</button>
                <button type="button" class="quiet" aria-expanded={state.screen().help_open.to_string()}
                    onclick={act(Action::ToggleHelp)}>{ "Keys" }<kbd>{ "?" }</kbd></button>
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

fn engine_words(state: &State) -> String {
    if let Some(Waiting { loaded_bytes, total_bytes, from_cache, seconds_left }) = state.waiting() {
        let from = if from_cache { "reading from cache" } else { "loading" };
        let left = seconds_left.map_or_else(String::new, |seconds| format!(" · {} left", numbers::duration(seconds)));
        return match loaded_bytes == total_bytes {
            true => "preparing the engine …".to_owned(),
            false => format!("{from} {} of {}{left}", numbers::bytes(loaded_bytes), numbers::bytes(total_bytes)),
        };
    }
    match state.engine() {
        _ if state.next().is_some() => "loading …".to_owned(),
        Engine::Ready { loaded, .. } => match loaded.backend.rung {
            Rung::Webgpu => "live on your GPU".to_owned(),
            Rung::Cpu => "live on your CPU".to_owned(),
        },
        Engine::Failed(_) => {
            let words = match state.latest().map(|latest| latest.source) {
                Some(Source::LiveGpu | Source::LiveCpu) => "earlier run · no engine",
                Some(Source::Recorded | Source::Imported) => "recorded run · no engine",
                None => "no engine",
            };
            words.to_owned()
        }
        Engine::Absent => "recorded run".to_owned(),
        Engine::Starting | Engine::Loading(_) => "starting the engine …".to_owned(),
    }
}

/// For screen readers: of a download only its quarters.
fn spoken(waiting: Option<Waiting>, words: String) -> String {
    match waiting {
        Some(Waiting { loaded_bytes, total_bytes, .. }) if loaded_bytes < total_bytes => {
            let quarters = u64::from(loaded_bytes) * 4 / u64::from(total_bytes.max(1));
            format!("{} % of engine and model are loaded", quarters * 25)
        }
        _ => words,
    }
}

/// What the engine is doing, and how fast.
pub fn engine_chip(state: &State) -> Html {
    let (is_live, words) = (matches!(state.engine(), Engine::Ready { .. }), engine_words(state));
    // Until the first step the run on the screen is another engine's.
    let speed = state.latest().filter(|latest| is_live && state.is_by_engine(latest));
    let speed = speed.and_then(|latest| latest.tokens_per_second());
    let more = state.backend().map(|backend| format!("{}: {}.", backend.name, backend.why));
    let facts = html! {
        <>
            <i aria-hidden="true" /><b>{ words }</b>
            if let Some(speed) = speed {
                <span class="speed">{ format!("{speed:.0} tok/s") }</span>
            }
        </>
    };
    chip(classes!("engine", is_live.then_some("is-live")), more, facts)
}

/// A byte-exact bar along the lower edge; it takes no room.
fn progress_bar(waiting: Option<Waiting>) -> Html {
    let Some(Waiting { loaded_bytes, total_bytes, .. }) = waiting else { return Html::default() };
    let share = f64::from(loaded_bytes) / f64::from(total_bytes.max(1));
    html! {
        <div class="progress" role="progressbar" aria-label="Loading engine and model" aria-valuemin="0"
            aria-valuemax={total_bytes.to_string()} aria-valuenow={loaded_bytes.to_string()}>
            { across("fill", share) }
        </div>
    }
}
