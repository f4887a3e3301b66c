//! How the next token is taken: sampling, seed and length, behind a small disclosure.

use std::ops::RangeInclusive;

use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::state::Action;
use crate::state::settings::{NEW_TOKENS, Setting, Settings, TEMPERATURE, TOP_P};

#[derive(Properties, PartialEq)]
pub struct GenerationProps {
    pub settings: Settings,
    pub dispatch: Callback<Action>,
}

#[component]
pub fn Generation(props: &GenerationProps) -> Html {
    let settings = &props.settings;
    let method = if settings.greedy { "greedy".to_owned() } else { format!("T {}", settings.temperature) };
    let summary = format!("{method} · seed {} · {} new", settings.seed, settings.new_tokens);
    let greedy = {
        let dispatch = props.dispatch.clone();
        Callback::from(move |event: Event| {
            let field: HtmlInputElement = event.target_unchecked_into();
            dispatch.emit(Action::Set(Setting::Greedy(field.checked())));
        })
    };
    html! {
        <details class="generation">
            <summary title="How the next token is taken"><span class="topic">{ "Generation" }</span>{ summary }</summary>
            <div class="generation-fields">
                <label class="check">
                    <input type="checkbox" checked={settings.greedy} onchange={greedy} />
                    { "Greedy: always the most probable token" }
                </label>
                { number(props, "Temperature", settings.temperature, limits(&TEMPERATURE), 0.05,
                    settings.greedy, |value| Setting::Temperature(value as f32)) }
                { number(props, "Top-k (0: all)", settings.top_k as f32, limits(&(0..=1000_u32)), 1.0,
                    settings.greedy, |value| Setting::TopK(value as u32)) }
                { number(props, "Top-p", settings.top_p, limits(&TOP_P), 0.05,
                    settings.greedy, |value| Setting::TopP(value as f32)) }
                { number(props, "Seed", settings.seed, limits(&(0..=u32::MAX)), 1.0,
                    false, |value| Setting::Seed(value as u32)) }
                { number(props, "New tokens", settings.new_tokens, limits(&NEW_TOKENS),
                    1.0, false, |value| Setting::NewTokens(value as u32)) }
                <p class="fine">{ "Takes effect with the next Run. The same seed gives the same text." }</p>
            </div>
        </details>
    }
}

fn number(
    props: &GenerationProps,
    label: &'static str,
    value: impl ToString,
    (least, most): (String, String),
    step: f64,
    disabled: bool,
    setting: fn(f64) -> Setting,
) -> Html {
    let dispatch = props.dispatch.clone();
    // On change, not on input: a number half typed is no number yet.
    let onchange = Callback::from(move |event: Event| {
        let field: HtmlInputElement = event.target_unchecked_into();
        let value = field.value_as_number();
        if value.is_finite() {
            dispatch.emit(Action::Set(setting(value)));
        }
    });
    html! {
        <label>
            <span>{ label }</span>
            <input type="number" inputmode="decimal" min={least} max={most} step={step.to_string()}
                value={value.to_string()} {disabled} {onchange} />
        </label>
    }
}

fn limits<T: ToString>(range: &RangeInclusive<T>) -> (String, String) {
    (range.start().to_string(), range.end().to_string())
}
