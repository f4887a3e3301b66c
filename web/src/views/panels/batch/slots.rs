//! The step that is looked at: per expert, which text has which slot, and which was turned away.

use yew::prelude::*;

use super::finding::texts;
use crate::run::in_step::{Asked, InStep};
use crate::views::parts::at_rest::AtRest;
use crate::views::parts::glyph::{Mark, glyph};
use crate::words::numbers::count;

pub fn slots(batch: &InStep, step: usize, layer: usize) -> Html {
    let asked = batch.asked(step, layer);
    let of_texts = count(batch.num_texts(step), "text", "texts");
    let capacity = match batch.capacity(step, layer) {
        Some(capacity) => format!("{} for each expert", count(capacity as usize, "slot", "slots")),
        None => "slots for everybody".to_owned(),
    };
    let chips = |numbers: &[usize], mark: Mark, class: &'static str| {
        let chip = |number: &usize| html! { <span {class}>{ glyph(mark) }{ number + 1 }</span> };
        numbers.iter().map(chip).collect::<Html>()
    };
    let expert = |asked: &Asked| {
        html! {
            <li key={asked.expert}>
                <b>{ format!("expert {}", asked.expert) }</b>
                <span class="hidden">{ words(asked) }</span>
                <span class="batch-chips" aria-hidden="true">
                    { chips(&asked.served, Mark::First, "is-served") }
                    { chips(&asked.lost, Mark::Lost, "is-lost") }
                </span>
            </li>
        }
    };
    let spoken: Vec<String> = asked
        .iter()
        .filter(|asked| !asked.lost.is_empty())
        .map(|asked| format!("Expert {}: {}", asked.expert, words(asked)))
        .collect();
    html! {
        <div class="batch-slots">
            <p>{ format!("Step {step}: {of_texts}, {capacity}. Who took its slots, and who was turned away:") }</p>
            <ul>{ for asked.iter().map(expert) }</ul>
            <AtRest words={format!("Step {step}. {}", spoken.join(". "))} />
        </div>
    }
}

/// "serves texts 1 and 2, turns text 3 away".
pub fn words(asked: &Asked) -> String {
    let lost = match asked.lost.is_empty() {
        true => String::new(),
        false => format!(", turns {} away", texts(&asked.lost)),
    };
    format!("serves {}{lost}", texts(&asked.served))
}
