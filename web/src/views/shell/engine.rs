//! What the engine is doing, in words and as a chip: of the whole page and of a figure.

use moe_trace::{Rung, Source};
use yew::prelude::*;

use crate::run::text::plain;
use crate::state::progress::Waiting;
use crate::state::{Engine, State};
use crate::views::shell::chip::chip;
use crate::words::numbers;

pub fn engine_words(state: &State) -> String {
    if let Some(Waiting { loaded_bytes, total_bytes, from_cache, seconds_left }) = state.waiting() {
        let (loaded, total) = (numbers::bytes(loaded_bytes), numbers::bytes(total_bytes));
        let words = match from_cache {
            _ if loaded_bytes == total_bytes => return say!("preparing the engine …").into_owned(),
            true => say!("reading from cache {loaded} of {total}", loaded, total),
            false => say!("loading {loaded} of {total}", loaded, total),
        };
        return match seconds_left {
            Some(seconds) => format!("{words} · {}", say!("{time} left", time = numbers::duration(seconds))),
            None => words,
        };
    }
    match state.engine() {
        _ if state.next().is_some() => say!("loading …").into_owned(),
        Engine::Ready { loaded, .. } => match loaded.backend.rung {
            Rung::Webgpu => say!("live on your GPU").into_owned(),
            Rung::Cpu => say!("live on your CPU").into_owned(),
        },
        Engine::Failed(_) => {
            let words = match state.latest().map(|latest| latest.source) {
                Some(Source::LiveGpu | Source::LiveCpu) => say!("earlier run · no engine"),
                Some(Source::Recorded | Source::Imported) => say!("recorded run · no engine"),
                None => say!("no engine"),
            };
            words.into_owned()
        }
        Engine::Absent | Engine::Held => match state.on_screen().filter(|run| run.foreign.is_some()) {
            Some(run) => say!("a run of {model}, imported", model = plain(&run.model.name)),
            None => say!("recorded run").into_owned(),
        },
        Engine::Starting | Engine::Loading(_) => say!("starting the engine …").into_owned(),
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
                <span class="speed">{ say!("{speed} tok/s", speed = format_args!("{speed:.0}")) }</span>
            }
        </>
    };
    chip(classes!("engine", is_live.then_some("is-live")), more, facts)
}
