//! What the reader must be told, without a modal: what happened, why, and what to do.

use yew::prelude::*;

use crate::run::text::plain;
use crate::state::{Action, Engine, State};

pub fn notice(state: &State, dispatch: &Callback<Action>) -> Html {
    let act = |action: Action| {
        let dispatch = dispatch.clone();
        Callback::from(move |_: MouseEvent| dispatch.emit(action.clone()))
    };
    // The live region is always there: one that appears with its text is not read.
    html! {
        <div class="notice-place" role="status" aria-live="polite">
            if let Some(message) = state.notice().map(|notice| notice.problem.say()) {
                <div class="notice is-error" part="notice">
                    <div>
                        <p><b>{ plain(&message.what) }</b>{ " " }{ plain(&message.why) }{ " " }{ message.try_this }</p>
                        if let Some(details) = &message.details {
                            <details><summary>{ say!("Details") }</summary><code>{ plain(details) }</code></details>
                        }
                    </div>
                    if matches!(state.engine(), Engine::Failed(_)) {
                        <button type="button" class="quiet" onclick={act(Action::Retry)}>{ say!("Retry") }</button>
                    }
                    <button type="button" class="quiet" aria-label={say!("Dismiss")} onclick={act(Action::DismissNotice)}>{ "×" }</button>
                </div>
            }
        </div>
    }
}
