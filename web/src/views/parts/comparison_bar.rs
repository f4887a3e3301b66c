//! What starts and stops a comparison's runs: a button, their progress, and afterwards what was computed.

use yew::prelude::*;

use crate::state::Action;
use crate::state::background::{End, Progress, Purpose};
use crate::views::panel::PanelInput;
use crate::views::parts::at_rest::AtRest;
use crate::views::parts::sized::bar;
use crate::words::numbers::{self, count};

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
                <button type="button" class="quiet is-framed" onclick={act(Action::StopComparing(purpose))}>{ "Cancel" }</button>
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
    let done = format!("{} of {}", progress.num_done, count(progress.num_runs, "run", "runs"));
    match progress.remaining_ms() {
        _ if waits => format!("{done}; your run goes first"),
        Some(ms) => format!("{done}, about {} left", numbers::duration((ms / 1000.0).round().max(1.0) as u32)),
        None => done,
    }
}

/// "12 runs of 64 tokens, 3.1 s".
fn computed(progress: &Progress) -> String {
    let runs = count(progress.num_done, "run", "runs");
    let of_tokens = progress.num_tokens.map(|number| format!(" of {}", count(number, "token", "tokens")));
    let done = format!("{runs}{}, {}", of_tokens.unwrap_or_default(), numbers::seconds(progress.spent_ms));
    match &progress.end {
        None => done,
        Some(End::Cancelled) => format!("Cancelled after {} of {}: {done}", progress.num_done, progress.num_runs),
        Some(End::Failed(error)) => format!("{} {}", error.what, error.why),
    }
}
