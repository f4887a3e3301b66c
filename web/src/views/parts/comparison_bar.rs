//! What starts and stops a comparison's runs: a button, their progress, and afterwards what was computed.

use yew::prelude::*;

use crate::state::Action;
use crate::state::background::{End, Progress, Purpose};
use crate::views::panel::PanelInput;
use crate::views::parts::at_rest::AtRest;
use crate::views::parts::sized::bar;
use crate::words::numbers;

/// `start`: what the button says; `None` where everything is there already.
pub fn comparison_bar(input: &PanelInput, purpose: Purpose, start: Option<&str>, progress: Option<&Progress>) -> Html {
    let act = |action: Action| {
        let dispatch = input.dispatch.clone();
        Callback::from(move |_: MouseEvent| dispatch.emit(action.clone()))
    };
    let under_way = progress.filter(|progress| progress.is_under_way());
    let words = match (&input.comparisons.cannot, progress) {
        (Some(cannot), _) if start.is_some() => cannot.to_string(),
        (_, Some(progress)) if under_way.is_some() => under_way_words(progress, input.comparisons.waits),
        (_, Some(progress)) => computed(progress),
        _ => String::new(),
    };
    let is_startable = input.comparisons.cannot.is_none();
    // What goes on is not spoken, its end is.
    let spoken = if under_way.is_some() { String::new() } else { words.clone() };
    html! {
        <div class="comparison-bar">
            if let Some(progress) = under_way {
                <button type="button" class="quiet is-framed" onclick={act(Action::StopComparing(purpose))}>{ say!("Cancel") }</button>
                { bar(progress.num_done as f32 / progress.num_runs.max(1) as f32) }
            } else if let Some(start) = start {
                <button type="button" class="quiet is-framed" disabled={!is_startable} onclick={act(Action::Compare(purpose))}>{ start.to_owned() }</button>
            }
            <span class="fine">{ words }</span>
            <AtRest words={spoken} />
        </div>
    }
}

fn under_way_words(progress: &Progress, waits: bool) -> String {
    let done = many!(progress.num_runs, "{done} of {n} run", "{done} of {n} runs", done = progress.num_done);
    match progress.remaining_ms() {
        _ if waits => say!("{done}; your run goes first", done),
        Some(ms) => {
            let time = numbers::duration((ms / 1000.0).round().max(1.0) as u32);
            say!("{done}, about {time} left", done, time)
        }
        None => done,
    }
}

/// "12 runs of 64 tokens, 3.1 s".
fn computed(progress: &Progress) -> String {
    let runs = many!(progress.num_done, "{n} run", "{n} runs");
    let time = numbers::seconds(progress.spent_ms);
    let done = match progress.num_tokens {
        Some(number) => {
            let tokens = many!(number, "{n} token", "{n} tokens");
            say!("{runs} of {tokens}, {time}", runs, tokens, time)
        }
        None => say!("{runs}, {time}", runs, time),
    };
    match &progress.end {
        None => done,
        Some(End::Cancelled) => {
            say!("Cancelled after {number} of {all}: {done}", number = progress.num_done, all = progress.num_runs, done)
        }
        Some(End::Failed(error)) => format!("{} {}", error.what, error.why),
    }
}
