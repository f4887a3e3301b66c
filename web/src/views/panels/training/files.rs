//! Trainings that outlive their worker: to save, to open, to go on with.

use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::asks;
use crate::browser::files;
use crate::run::training::Training;
use crate::state::Action;
use crate::state::lab::{ChosenFile, MOST_BYTES, Wish};

/// What is left to do where the worker is gone.
pub fn revive([first, second]: [u32; 2], dispatch: &Callback<Action>) -> Html {
    let words = match first == second {
        true => say!("Go on from step {step}", step = first),
        false => say!("Go on from steps {first} and {second}", first, second),
    };
    let title = say!("Another worker takes up both as they were then, exactly; what came later is computed again");
    html! {
        <button type="button" class="lab-button is-primary" {title} onclick={asks(dispatch, Wish::Revive)}>{ words }</button>
    }
}

/// The newest state of a side that was saved.
pub fn save(training: &Training, side: usize, dispatch: &Callback<Action>) -> Html {
    let Some(saved) = training.saved.last() else { return Html::default() };
    let words = many!(saved.next_step, "Save after {n} step", "Save after {n} steps");
    let title = say!("A file to open here again: weights, optimiser, settings and, where it learns one, your text");
    html! {
        <button type="button" class="lab-button" {title} onclick={asks(dispatch, Wish::Save(side))}>{ words }</button>
    }
}

/// Files that were saved: one for both sides, or two.
pub fn open(dispatch: &Callback<Action>) -> Html {
    let on_change = {
        let dispatch = dispatch.clone();
        Callback::from(move |event: Event| {
            let field: HtmlInputElement = event.target_unchecked_into();
            let dispatch = dispatch.clone();
            files::read(&field, MOST_BYTES, move |found| {
                let file = |(name, bytes): (String, Option<Vec<u8>>)| ChosenFile { name, bytes: bytes.map(Into::into) };
                let found = found.into_iter().map(file).collect();
                dispatch.emit(Action::Lab(Wish::Open(found)));
            });
        })
    };
    html! {
        <label class="lab-button lab-open" title={say!("One file that was saved here for both sides, or two, one each")}>
            { say!("Open…") }
            <input type="file" accept=".safetensors" multiple=true onchange={on_change} />
        </label>
    }
}
