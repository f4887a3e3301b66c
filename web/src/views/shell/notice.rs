//! What the reader must be told, without a modal: what happened, why, and what to do.

use yew::prelude::*;

use crate::run::text::plain;
use crate::state::{Action, Engine, State};

pub fn notice(state: &State, dispatch: &Callback<Action>) -> Html {
    let dismiss = {
        let dispatch = dispatch.clone();
        move |_: MouseEvent| dispatch.emit(Action::DismissNotice)
    };
    // The live region is always there: one that appears with its text is not read.
    html! {
        <div class="notice-place" role="status" aria-live="polite">
            if let Some(message) = state.notice().map(|notice| notice.problem.say()) {
                <div class="notice is-error" part="notice">
                    <div>
                        <p><b>{ plain(&message.what) }</b>{ " " }{ plain(&message.why) }{ " " }{ plain(&message.try_this) }</p>
                        if let Some(details) = &message.details {
                            <details><summary>{ say!("Details") }</summary><code>{ plain(details) }</code></details>
                        }
                    </div>
                    { way_out(state, dispatch) }
                    <button type="button" class="quiet" aria-label={say!("Dismiss")} onclick={dismiss}>{ "×" }</button>
                </div>
            }
        </div>
    }
}

/// Of an engine that was given up: the button for what its words advise.
pub fn way_out(state: &State, dispatch: &Callback<Action>) -> Html {
    let Engine::Failed(problem) = state.engine() else { return Html::default() };
    if problem.asks_for_reload() {
        // The page is not the figure's own: the element around it reloads it.
        return html! { <button type="button" class="quiet" data-open="reload">{ say!("Reload") }</button> };
    }
    let dispatch = dispatch.clone();
    let onclick = move |_: MouseEvent| dispatch.emit(Action::Retry);
    html! { <button type="button" class="quiet" {onclick}>{ say!("Retry") }</button> }
}
