//! The prompt, examples of it, Run and Stop.

use moe_trace::prompts::EXAMPLES;
use web_sys::{HtmlSelectElement, HtmlTextAreaElement};
use yew::prelude::*;

use crate::browser::keys::press;
use crate::settings::limits::MAX_PROMPT_CHARS;
use crate::settings::{PromptProblem, Setting};
use crate::state::{Action, State};
use crate::views::parts::at_rest::AtRest;
use crate::views::shell::generation::generation;

pub fn prompt_bar(state: &State, dispatch: &Callback<Action>) -> Html {
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
    let run = {
        let dispatch = dispatch.clone();
        Callback::from(move |_: MouseEvent| dispatch.emit(Action::Run { prompt: None }))
    };
    let stop = {
        let dispatch = dispatch.clone();
        Callback::from(move |_: MouseEvent| dispatch.emit(Action::Stop))
    };
    // A menu rather than a setting: it shows its name again once an example has been taken.
    let pick = {
        let dispatch = dispatch.clone();
        Callback::from(move |event: Event| {
            let menu: HtmlSelectElement = event.target_unchecked_into();
            if let Some(example) = EXAMPLES.iter().find(|example| example.kind == menu.value()) {
                dispatch.emit(Action::Run { prompt: Some(example.prompt.to_owned()) });
            }
            menu.set_selected_index(0);
        })
    };
    let problem = state.prompt_problem();
    let num_chars = state.settings().prompt.chars().count();
    let hint = match problem {
        Some(PromptProblem::Empty) => Some("Type a few words: the model continues them.".to_owned()),
        Some(PromptProblem::TooLong { num_chars }) => Some(format!(
            "{num_chars} of {MAX_PROMPT_CHARS} characters: too long to run. Your text has not been changed."
        )),
        Some(PromptProblem::TooManyTokens { num_tokens, max_tokens }) => {
            Some(format!("{num_tokens} of {max_tokens} tokens: too long to run. Your text has not been changed."))
        }
        None if state.prompt_tokens().is_some() => {
            state.prompt_tokens().map(|(num_tokens, max_tokens)| format!("{num_tokens} of {max_tokens} tokens"))
        }
        None if num_chars > MAX_PROMPT_CHARS / 2 => Some(format!("{num_chars} of {MAX_PROMPT_CHARS} characters")),
        None => None,
    };
    let hint = AttrValue::from(hint.unwrap_or_default());
    let run_words = if state.engine().is_loading() { "Loading …" } else { "Run" };
    let is_invalid = matches!(problem, Some(PromptProblem::TooLong { .. } | PromptProblem::TooManyTokens { .. }));
    html! {
        <div class="prompt-bar">
            <label class="prompt-field">
                <span class="topic">{ "Prompt" }</span>
                <textarea rows="1" dir="auto" spellcheck="false" autocomplete="off" aria-label="Prompt" value={state.settings().prompt.clone()}
                    aria-invalid={is_invalid.to_string()} aria-describedby="prompt-hint" {oninput} {onkeydown} />
                <span class={classes!("prompt-hint", is_invalid.then_some("is-warning"))} id="prompt-hint">
                    { &hint }
                </span>
            </label>
            <AtRest words={hint} />
            <select class="examples" aria-label="Example prompts" onchange={pick}>
                <option value="" selected=true disabled=true hidden=true>{ "Examples" }</option>
                { for EXAMPLES.iter().map(|example| html! { <option value={example.kind}>{ example.kind }</option> }) }
            </select>
            if state.is_running() {
                <button type="button" class="primary" onclick={stop} disabled={state.is_stopping()}>
                    <span class="icon-stop" aria-hidden="true" />{ "Stop" }
                </button>
            } else {
                <button type="button" class="primary" onclick={run} disabled={!state.engine().can_run() || run_words != "Run"}>
                    { run_words }
                </button>
            }
            { generation(state.settings(), dispatch) }
        </div>
    }
}
