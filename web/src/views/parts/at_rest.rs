//! Words for screen readers, spoken once nothing changes any more: what comes and goes meanwhile is left out.

use yew::prelude::*;

use crate::browser::timers::Timeout;

/// How long words must stand before they are spoken, in milliseconds.
const REST_MS: i32 = 700;

#[derive(Properties, PartialEq)]
pub struct AtRestProps {
    pub words: AttrValue,
}

/// The live region is always there: one that appears with its words is not read.
#[component]
pub fn AtRest(props: &AtRestProps) -> Html {
    let spoken = use_state(AttrValue::default);
    use_effect_with(props.words.clone(), {
        let spoken = spoken.clone();
        move |words| {
            let words = words.clone();
            let rest = Timeout::new(REST_MS, move || spoken.set(words));
            move || drop(rest)
        }
    });
    html! { <span class="hidden" role="status" aria-live="polite">{ &*spoken }</span> }
}
