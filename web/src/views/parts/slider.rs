//! A slider that shows its number while it is moved, and tells it once it is let go.

use std::ops::RangeInclusive;

use web_sys::HtmlInputElement;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct SliderProps {
    pub name: AttrValue,
    pub title: AttrValue,
    /// It may lie beyond the range; the number is shown as it is.
    pub value: f32,
    pub range: RangeInclusive<f32>,
    pub onchange: Callback<f32>,
}

#[component]
pub fn Slider(props: &SliderProps) -> Html {
    // Where it is on the way.
    let moving = use_state_eq(|| None::<f32>);
    let number = |event: &Event| {
        let field: HtmlInputElement = event.target_unchecked_into();
        field.value_as_number() as f32
    };
    let oninput = {
        let moving = moving.clone();
        Callback::from(move |event: InputEvent| moving.set(Some(number(&event))))
    };
    let onchange = {
        let (moving, onchange) = (moving.clone(), props.onchange.clone());
        Callback::from(move |event: Event| {
            moving.set(None);
            onchange.emit(number(&event));
        })
    };
    let value = moving.unwrap_or(props.value);
    let shown = format!("{value:.2}");
    html! {
        // The number beside the name is the slider's own value, and not to be spoken twice.
        <label class="control factor" title={&props.title}>
            <span class="control-name">{ &props.name }<b aria-hidden="true">{ &shown }</b></span>
            <input type="range" aria-label={&props.name} aria-valuetext={shown.clone()}
                min={props.range.start().to_string()} max={props.range.end().to_string()} step="0.05"
                value={value.to_string()} {oninput} {onchange} />
        </label>
    }
}
