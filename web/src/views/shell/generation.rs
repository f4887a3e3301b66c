//! How the next token is chosen: sampling, seed and length, behind a small disclosure.

use moe_trace::RoutingSpec;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::settings::{Setting, Settings};
use crate::state::Action;
use crate::views::parts::popup::Popup;
use crate::words::tongue;

pub fn generation(settings: &Settings, dispatch: &Callback<Action>) -> Html {
    let method = if settings.greedy { say!("greedy") } else { format!("T {}", settings.temperature).into() };
    let (seed, new) = (settings.seed, settings.new_tokens);
    let summary = say!("{method} · seed {seed} · {new} new", method, seed, new);
    let summary = html! { <><span class="topic">{ say!("Generation") }</span>{ summary }</> };
    let greedy = {
        let dispatch = dispatch.clone();
        Callback::from(move |event: Event| {
            let field: HtmlInputElement = event.target_unchecked_into();
            dispatch.emit(Action::Set(Setting::Greedy(field.checked())));
        })
    };
    html! {
        <Popup class="generation" title={say!("How the next token is chosen")} {summary}>
            <div class="more generation-fields" tabindex="-1">
                <label class="check">
                    <input type="checkbox" checked={settings.greedy} onchange={greedy} />
                    { say!("Greedy: always the most probable token") }
                </label>
                { for NUMBERS.iter().map(|number| number_field(number, settings, dispatch)) }
                <p class="fine">{ say!("Applies from the next run. The same seed gives the same text.") }</p>
            </div>
        </Popup>
    }
}

/// A number of the settings, in a field of its own.
struct NumberField {
    label: &'static str,
    least: &'static str,
    most: &'static str,
    step: &'static str,
    /// Is it about sampling? Then it has no effect with greedy.
    is_of_chance: bool,
    shown: fn(&Settings) -> String,
    setting: fn(f64) -> Setting,
}

/// The limits are those of [`Settings::set`], which alone decides.
const NUMBERS: [NumberField; 5] = [
    NumberField {
        label: marked!("Temperature"),
        least: "0.1",
        most: "2",
        step: "0.05",
        is_of_chance: true,
        shown: |settings| settings.temperature.to_string(),
        setting: |value| Setting::Temperature(value as f32),
    },
    NumberField {
        label: marked!("Top-k (0: all)"),
        least: "0",
        most: "1000",
        step: "1",
        is_of_chance: true,
        shown: |settings| settings.top_k.to_string(),
        setting: |value| Setting::TopK(value as u32),
    },
    NumberField {
        label: marked!("Top-p"),
        least: "0.05",
        most: "1",
        step: "0.05",
        is_of_chance: true,
        shown: |settings| settings.top_p.to_string(),
        setting: |value| Setting::TopP(value as f32),
    },
    NumberField {
        label: marked!("Seed"),
        least: "0",
        most: "4294967295",
        step: "1",
        is_of_chance: false,
        shown: |settings| settings.seed.to_string(),
        setting: |value| Setting::Seed(value as u32),
    },
    NumberField {
        label: marked!("New tokens"),
        least: "0",
        most: "256",
        step: "1",
        is_of_chance: false,
        shown: |settings| settings.new_tokens.to_string(),
        setting: |value| Setting::NewTokens(value as u32),
    },
];

fn number_field(number: &'static NumberField, settings: &Settings, dispatch: &Callback<Action>) -> Html {
    // On change, not on input: a number half typed is not a number yet.
    let onchange = {
        let (settings, dispatch) = (settings.clone(), dispatch.clone());
        Callback::from(move |event: Event| {
            let field: HtmlInputElement = event.target_unchecked_into();
            let setting = number.typed(field.value_as_number());
            // A number that is not taken as typed may change nothing, and then nothing is drawn again.
            field.set_value(&number.accepted(&settings, setting.clone()));
            if let Some(setting) = setting {
                dispatch.emit(Action::Set(setting));
            }
        })
    };
    html! {
        <label>
            <span>{ tongue::translated(number.label) }</span>
            <input type="number" inputmode="decimal" min={number.least} max={number.most} step={number.step}
                value={(number.shown)(settings)} disabled={number.is_of_chance && settings.greedy} {onchange} />
        </label>
    }
}

impl NumberField {
    /// What is set by a typed number; an empty field is none.
    fn typed(&self, number: f64) -> Option<Setting> {
        number.is_finite().then(|| (self.setting)(number))
    }

    /// What the field shows after that: the number that is used.
    fn accepted(&self, settings: &Settings, setting: Option<Setting>) -> String {
        let mut after = settings.clone();
        // None of these numbers is about routing.
        setting.into_iter().for_each(|setting| after.set(setting, &RoutingSpec::default()));
        (self.shown)(&after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_shows_the_number_that_is_used() {
        let check = |label: &str, typed: f64, expected: &str| {
            let field = NUMBERS.iter().find(|field| field.label == label).expect(label);
            let settings = Settings::default();
            assert_eq!(field.accepted(&settings, field.typed(typed)), expected, "{label} {typed}");
        };
        check("Temperature", 99.0, "2");
        check("Temperature", 0.7, "0.7");
        check("Temperature", f64::NAN, "0.8");
        check("Top-k (0: all)", 5000.0, "1000");
        check("Top-p", 0.0, "0.05");
        check("Seed", 3.7, "3");
        check("Seed", -1.0, "0");
        check("Seed", f64::NAN, "7");
        check("New tokens", 300.0, "256");
        check("New tokens", f64::NAN, "24");
    }

    #[test]
    fn the_limits_of_a_field_are_those_of_the_settings() {
        for field in &NUMBERS {
            for limit in [field.least, field.most] {
                let typed = limit.parse().expect("a number");
                assert_eq!(field.accepted(&Settings::default(), field.typed(typed)), limit, "{}", field.label);
            }
        }
    }
}
