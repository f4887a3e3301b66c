//! Sliders for the sizes and settings that both trainings share.

use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::asks;
use crate::settings::experiment::{KNOBS, Knobs};
use crate::state::Action;
use crate::state::lab::{Lab, Wish};
use crate::words::tongue;

/// Another value means another experiment, so it ends trainings that are under way.
pub fn knobs(lab: &Lab, dispatch: &Callback<Action>) -> Html {
    let of_experiment = lab.experiment.settings();
    html! {
        <details class="lab-knobs" open={lab.experiment.knobs != Knobs::default()}>
            <summary>{ say!("Sizes and settings of both") }</summary>
            <div class="controls">
                { for (0..KNOBS.len()).map(|at| slider(at, of_experiment[at], dispatch)) }
                <button type="button" class="lab-button" disabled={lab.experiment.knobs == Knobs::default()}
                    onclick={asks(dispatch, Wish::UsualKnobs)}>{ say!("As the experiment has them") }</button>
            </div>
            <p class="lab-rest">{ say!("A change ends trainings that are under way; “Train both” begins with it.") }</p>
        </details>
    }
}

/// `value`: what both have; `None` where it is what they differ in, or the rule has none.
fn slider(at: usize, value: Option<u32>, dispatch: &Callback<Action>) -> Html {
    let knob = &KNOBS[at];
    let words = value.map_or_else(|| say!("set by the experiment").into_owned(), |value| knob.shown(value));
    let place = value.and_then(|value| knob.values.iter().position(|other| *other == value)).unwrap_or(0);
    let on_change = {
        let dispatch = dispatch.clone();
        Callback::from(move |event: Event| {
            let field: HtmlInputElement = event.target_unchecked_into();
            if let Some(&value) = knob.values.get(field.value_as_number() as usize) {
                dispatch.emit(Action::Lab(Wish::Knob { at, value }));
            }
        })
    };
    html! {
        <label class="control lab-knob">
            <span class="control-name">{ tongue::translated(knob.name) }{ " " }<b aria-hidden="true">{ &words }</b></span>
            <input type="range" min="0" max={(knob.values.len() - 1).to_string()} step="1" value={place.to_string()}
                aria-valuetext={words.clone()} disabled={value.is_none()} onchange={on_change} />
        </label>
    }
}
