//! The prompt, examples of it, Run and Stop.

use moe_trace::prompts;
use web_sys::HtmlSelectElement;
use yew::prelude::*;

use crate::state::{Action, State};
use crate::views::shell::generation::generation;
use crate::views::shell::prompt_field::{prompt_field, run_button};
use crate::words::tongue;

pub fn prompt_bar(state: &State, dispatch: &Callback<Action>) -> Html {
    html! {
        <div class="prompt-bar">
            { prompt_field(state, html! { <span class="topic">{ say!("Prompt") }</span> }, dispatch) }
            { examples(state, dispatch) }
            { run_button(state, dispatch) }
            { generation(state.settings(), dispatch) }
        </div>
    }
}

/// The same at the end of the story, as an invitation: without what a first reader need not know.
pub fn own_words(state: &State, dispatch: &Callback<Action>) -> Html {
    html! {
        <div class="prompt-bar own-words">
            { prompt_field(state, html! { <span class="topic">{ say!("Type your own words") }</span> }, dispatch) }
            { examples(state, dispatch) }
            { run_button(state, dispatch) }
        </div>
    }
}

/// A menu rather than a setting: it shows its name again once an example has been taken.
fn examples(state: &State, dispatch: &Callback<Action>) -> Html {
    let examples = prompts::of_model(state.model().map(|model| &*model.name).unwrap_or_default());
    let kinds = examples.iter().map(|(kind, _)| html! { <option value={*kind}>{ tongue::translated(kind) }</option> });
    let kinds = kinds.collect::<Html>();
    let pick = {
        let dispatch = dispatch.clone();
        Callback::from(move |event: Event| {
            let menu: HtmlSelectElement = event.target_unchecked_into();
            if let Some((_, prompt)) = examples.iter().find(|(kind, _)| *kind == menu.value()) {
                dispatch.emit(Action::Run { prompt: Some((*prompt).to_owned()) });
            }
            menu.set_selected_index(0);
        })
    };
    html! {
        <select class="examples" aria-label={say!("Example prompts")} onchange={pick}>
            <option value="" selected=true disabled=true hidden=true>{ say!("Examples") }</option>
            { kinds }
        </select>
    }
}
