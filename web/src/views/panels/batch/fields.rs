//! The texts of a batch: a field for each, one to remove it, and one more.

use std::rc::Rc;

use moe_trace::{MAX_BATCH, prompts};
use web_sys::HtmlTextAreaElement;
use yew::prelude::*;

use crate::settings::batch;
use crate::settings::limits::MAX_BATCH_CHARS;
use crate::state::Action;
use crate::views::panel::PanelInput;

pub fn fields(input: &PanelInput) -> Html {
    let texts = &input.comparisons.texts;
    let can_remove = texts.len() > 1;
    let field = |(number, text): (usize, &String)| {
        let set = {
            let (texts, dispatch) = (texts.clone(), input.dispatch.clone());
            Callback::from(move |event: InputEvent| {
                let field: HtmlTextAreaElement = event.target_unchecked_into();
                let mut texts = texts.to_vec();
                texts[number] = field.value();
                dispatch.emit(Action::SetTextsInStep(texts.into()));
            })
        };
        let remove = {
            let (texts, dispatch) = (texts.clone(), input.dispatch.clone());
            Callback::from(move |_: MouseEvent| {
                let mut texts = texts.to_vec();
                texts.remove(number);
                dispatch.emit(Action::SetTextsInStep(texts.into()));
            })
        };
        html! {
            <li key={number}>
                <b aria-hidden="true">{ number + 1 }</b>
                <textarea rows="1" dir="auto" spellcheck="false" autocomplete="off" aria-label={say!("Text {number} of the batch", number = number + 1)}
                    value={text.clone()} oninput={set} />
                <button type="button" class="quiet" aria-label={say!("Remove text {number}", number = number + 1)} disabled={!can_remove} onclick={remove}>{ "×" }</button>
            </li>
        }
    };
    html! {
        <>
            <ol class="batch-fields" aria-label={say!("Texts of the batch")}>{ for texts.iter().enumerate().map(field) }</ol>
            if texts.len() < MAX_BATCH {
                <button type="button" class="quiet is-framed batch-add" onclick={add(input, texts)}>{ say!("Add a text") }</button>
            }
            if let Some(num_chars) = batch::too_long(texts) {
                <p class="fine" role="status">{ say!("A link does not hold these texts: they have {num_chars} characters together, and it takes {limit}.", num_chars, limit = MAX_BATCH_CHARS) }</p>
            }
        </>
    }
}

/// One more: the next of the page's prompts.
fn add(input: &PanelInput, texts: &Rc<[String]>) -> Callback<MouseEvent> {
    let (texts, dispatch) = (texts.clone(), input.dispatch.clone());
    let offered = prompts::of_model(&input.scene.recording.model.name);
    Callback::from(move |_: MouseEvent| {
        let (_, prompt) = offered[texts.len() % offered.len()];
        let texts = texts.iter().cloned().chain([prompt.to_owned()]).collect();
        dispatch.emit(Action::SetTextsInStep(texts));
    })
}
