//! What the reader must be told, without a modal: what happened, why, and what to do.

use yew::prelude::*;

use crate::state::{Action, Phase, State};

pub fn notice(state: &State, dispatch: &Callback<Action>) -> Html {
    let act = |action: Action| {
        let dispatch = dispatch.clone();
        Callback::from(move |_: MouseEvent| dispatch.emit(action.clone()))
    };
    // The live region is always there: one that appears with its text is not read.
    html! {
        <div class="notice-place" role="status" aria-live="polite">
            if let Some(notice) = &state.notice {
                <div class={classes!("notice", notice.is_error.then_some("is-error"))}>
                    <p><b>{ &notice.message.what }</b>{ " " }{ &notice.message.why }{ " " }{ &notice.message.try_this }</p>
                    if matches!(state.phase, Phase::Failed(_)) {
                        <button type="button" class="quiet" onclick={act(Action::Retry)}>{ "Retry" }</button>
                    }
                    <button type="button" class="quiet" aria-label="Dismiss" onclick={act(Action::DismissNotice)}>{ "×" }</button>
                </div>
            }
        </div>
    }
}
