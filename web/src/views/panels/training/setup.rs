//! What is trained, and the buttons that steer it.

use std::borrow::Cow;

use web_sys::{HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement};
use yew::prelude::*;

use super::{asks, files, has_steps, knobs, measured};
use crate::settings::experiment::{EXPONENTS, ExperimentName, STEP, TextName, coefficient_at, exponent_of};
use crate::state::Action;
use crate::state::lab::{Lab, Wish};
use crate::words::tongue;

pub fn setup(lab: &Lab, dispatch: &Callback<Action>) -> Html {
    let chosen = |wish: fn(&str) -> Option<Wish>| {
        let dispatch = dispatch.clone();
        Callback::from(move |event: Event| {
            let field: HtmlSelectElement = event.target_unchecked_into();
            if let Some(wish) = wish(&field.value()) {
                dispatch.emit(Action::Lab(wish));
            }
        })
    };
    let on_seed = {
        let dispatch = dispatch.clone();
        Callback::from(move |event: Event| {
            let field: HtmlInputElement = event.target_unchecked_into();
            if let Ok(seed) = field.value().trim().parse() {
                dispatch.emit(Action::Lab(Wish::Seed(seed)));
            }
        })
    };
    let on_text = {
        let dispatch = dispatch.clone();
        Callback::from(move |event: InputEvent| {
            let field: HtmlTextAreaElement = event.target_unchecked_into();
            dispatch.emit(Action::Lab(Wish::OwnText(field.value())));
        })
    };
    html! {
        <div class="lab-setup">
            if lab.is_opened() {
                <p class="lab-question">{ say!("Trainings from files, with the settings that they were saved with.") }</p>
            } else {
                <p class="lab-question">{ tongue::translated(lab.experiment.name.preset().look_for) }</p>
                { measured::sentence(lab.experiment.name.preset()) }
            }
            <div class="controls">
                <label class="control">
                    <span class="control-name">{ say!("Experiment") }</span>
                    <select onchange={chosen(|word| ExperimentName::of_word(word).map(Wish::Experiment))}>
                        { for ExperimentName::ALL.iter().map(|&name| html! {
                            <option value={name.as_str()} selected={name == lab.experiment.name}>{ tongue::translated(name.preset().title) }</option>
                        }) }
                    </select>
                </label>
                <label class="control">
                    <span class="control-name">{ say!("Text") }</span>
                    <select onchange={chosen(|word| TextName::of_word(word).map(Wish::Text))}>
                        { for TextName::ALL.iter().map(|&text| html! {
                            <option value={text.as_str()} selected={text == lab.experiment.text}>{ text.title() }</option>
                        }) }
                    </select>
                </label>
                <label class="control lab-seed">
                    <span class="control-name">{ say!("Seed") }</span>
                    <input type="number" min="0" max="4294967295" step="1" value={lab.experiment.seed.to_string()} onchange={on_seed} />
                </label>
                { buttons(lab, dispatch) }
            </div>
            if !lab.is_opened() {
                { knobs::knobs(lab, dispatch) }
            }
            if lab.experiment.text == TextName::Own {
                <label class="lab-own">
                    <span class="control-name">{ say!("Your text, at least a few thousand letters; it stays on this machine") }</span>
                    <textarea rows="4" value={lab.own_text.clone()} oninput={on_text} />
                </label>
            }
        </div>
    }
}

fn buttons(lab: &Lab, dispatch: &Callback<Action>) -> Html {
    let button = |words: Cow<'static, str>, wish: Wish, title: Cow<'static, str>| {
        html! { <button type="button" class="lab-button" {title} onclick={asks(dispatch, wish)}>{ words }</button> }
    };
    html! {
        <div class="lab-buttons">
            if lab.is_fetching {
                <span class="lab-rest" role="status">{ say!("fetching the text") }</span>
            } else if lab.trainings.is_none() {
                <button type="button" class="lab-button is-primary" onclick={asks(dispatch, Wish::Start)}>{ say!("Train both") }</button>
            } else if let Some(steps) = lab.offers() {
                { files::revive(steps, dispatch) }
            } else if lab.is_running() {
                { button(say!("Pause"), Wish::Pause, say!("Rest after the step in progress")) }
            } else {
                { button(say!("Go on"), Wish::Resume, say!("Train on until paused")) }
                { button(say!("10 steps"), Wish::Step(10), say!("Ten steps of each, then rest")) }
            }
            if lab.trainings.is_some() {
                { button(say!("Start anew"), Wish::Start, say!("Both from nothing, with the same seed")) }
                { button(say!("End"), Wish::Stop, say!("Forget both trainings and free their memory")) }
            }
            { files::open(dispatch) }
            if lab.opening.is_some() {
                <span class="lab-rest">{ say!("opening") }</span>
            }
            if has_steps(lab) && !lab.is_running() && !lab.is_lost {
                <span class="lab-rest">{ say!("resting") }</span>
            }
        </div>
    }
}

/// The weight of the first loss beside that of the next byte, where there is one; it may move while the model learns.
pub fn coefficient(lab: &Lab, side: usize, dispatch: &Callback<Action>) -> Html {
    let losses = lab.trainings.as_ref().map(|trainings| &trainings[side].request.losses);
    let Some(loss) = losses.and_then(|losses| losses.first()) else { return Html::default() };
    let on_change = {
        let dispatch = dispatch.clone();
        Callback::from(move |event: Event| {
            let field: HtmlInputElement = event.target_unchecked_into();
            let value = coefficient_at(field.value_as_number() as f32);
            dispatch.emit(Action::Lab(Wish::Coefficient { side, value }));
        })
    };
    let words = format!("{}", loss.coefficient);
    html! {
        <label class="control lab-coefficient">
            <span class="control-name">{ say!("Balance loss ×") }{ " " }<b aria-hidden="true">{ &words }</b></span>
            <input type="range" min={(EXPONENTS.0 - STEP).to_string()} max={EXPONENTS.1.to_string()} step={STEP.to_string()}
                value={exponent_of(loss.coefficient).to_string()} aria-valuetext={words.clone()} disabled={lab.is_lost} onchange={on_change} />
        </label>
    }
}
