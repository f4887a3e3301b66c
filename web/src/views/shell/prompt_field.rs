//! The prompt's field with its hint, and the button that runs it: of the whole page and of a figure.

use web_sys::HtmlTextAreaElement;
use yew::prelude::*;

use crate::browser::keys::press;
use crate::settings::limits::MAX_PROMPT_CHARS;
use crate::settings::{PromptProblem, Setting};
use crate::state::{Action, State};
use crate::views::parts::at_rest::AtRest;

/// It grows with its text. `topic`: what stands above it.
pub fn prompt_field(state: &State, topic: Html, dispatch: &Callback<Action>) -> Html {
    let oninput = {
        let dispatch = dispatch.clone();
        Callback::from(move |event: InputEvent| {
            let field: HtmlTextAreaElement = event.target_unchecked_into();
            let text = field.value();
            if text.contains('\u{fffd}') {
                // Half a character arrives as this sign, and so the field says what is run.
                field.set_value(&text);
            }
            dispatch.emit(Action::Set(Setting::Prompt(text)));
        })
    };
    // Enter runs, Shift+Enter breaks the line; while characters are being composed Enter belongs to the input method.
    let onkeydown = {
        let dispatch = dispatch.clone();
        Callback::from(move |event: KeyboardEvent| {
            if press(&event).runs(event.shift_key()) {
                event.prevent_default();
                dispatch.emit(Action::Run { prompt: None });
            }
        })
    };
    let problem = state.prompt_problem();
    let is_invalid = matches!(problem, Some(PromptProblem::TooLong { .. } | PromptProblem::TooManyTokens { .. }));
    let hint = AttrValue::from(hint(state, problem).unwrap_or_default());
    html! {
        <>
            <label class="prompt-field">
                { topic }
                <textarea rows="1" dir="auto" spellcheck="false" autocomplete="off" aria-label={say!("Prompt")} value={state.settings().prompt.clone()}
                    aria-invalid={is_invalid.to_string()} aria-describedby="prompt-hint" {oninput} {onkeydown} />
                <span class={classes!("prompt-hint", is_invalid.then_some("is-warning"))} id="prompt-hint">
                    { &hint }
                </span>
            </label>
            <AtRest words={hint} />
        </>
    }
}

/// What to say of the prompt as it stands.
fn hint(state: &State, problem: Option<PromptProblem>) -> Option<String> {
    let num_chars = state.settings().prompt.chars().count();
    match problem {
        Some(PromptProblem::Empty) => Some(say!("Type a few words: the model continues them.").into_owned()),
        Some(PromptProblem::TooLong { num_chars }) => Some(say!(
            "{number} of {most} characters: too long to run. Your text has not been changed.",
            number = num_chars,
            most = MAX_PROMPT_CHARS,
        )),
        Some(PromptProblem::TooManyTokens { num_tokens, max_tokens }) => Some(say!(
            "{number} of {most} tokens: too long to run. Your text has not been changed.",
            number = num_tokens,
            most = max_tokens,
        )),
        None if state.prompt_tokens().is_some() => {
            state.prompt_tokens().map(|(number, most)| say!("{number} of {most} tokens", number, most))
        }
        None if num_chars > MAX_PROMPT_CHARS / 2 => {
            Some(say!("{number} of {most} characters", number = num_chars, most = MAX_PROMPT_CHARS))
        }
        None => None,
    }
}

pub fn run_button(state: &State, dispatch: &Callback<Action>) -> Html {
    let act = |action: Action| {
        let dispatch = dispatch.clone();
        Callback::from(move |_: MouseEvent| dispatch.emit(action.clone()))
    };
    let is_loading = state.engine().is_loading();
    if state.is_running() {
        html! {
            <button type="button" class="primary" onclick={act(Action::Stop)} disabled={state.is_stopping()}>
                <span class="icon-stop" aria-hidden="true" />{ say!("Stop") }
            </button>
        }
    } else {
        html! {
            <button type="button" class="primary" onclick={act(Action::Run { prompt: None })}
                disabled={!state.engine().can_run() || is_loading}>
                { if is_loading { say!("Loading …") } else { say!("Run") } }
            </button>
        }
    }
}
