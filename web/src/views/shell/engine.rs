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
        Engine::Absent | Engine::Held => match state.on_screen().filter(|run| run.foreign.is_some()) {
            Some(run) => format!("a run of {}, imported", plain(&run.model.name)),
            None => "recorded run".to_owned(),
        },
        Engine::Starting | Engine::Loading(_) => "starting the engine …".to_owned(),
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
