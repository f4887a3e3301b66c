//! The step that is looked at: per expert, which text has which slot, and which was turned away.

use yew::prelude::*;

use super::finding::texts;
use crate::run::in_step::{Asked, InStep};
use crate::views::parts::at_rest::AtRest;
use crate::views::parts::glyph::{Mark, glyph};

pub fn slots(batch: &InStep, step: usize, layer: usize) -> Html {
    let asked = batch.asked(step, layer);
    let capacity = match batch.capacity(step, layer) {
        Some(capacity) => many!(capacity, "{n} slot for each expert", "{n} slots for each expert"),
        None => say!("slots for everybody").into_owned(),
    };
    let who = many!(
        batch.num_texts(step),
        "Step {step}: {n} text, {capacity}. Who took its slots, and who was turned away:",
        "Step {step}: {n} texts, {capacity}. Who took its slots, and who was turned away:",
        step,
        capacity,
    );
    let chips = |numbers: &[usize], mark: Mark, class: &'static str| {
        let chip = |number: &usize| html! { <span {class}>{ glyph(mark) }{ number + 1 }</span> };
        numbers.iter().map(chip).collect::<Html>()
    };
    let expert = |asked: &Asked| {
        html! {
            <li key={asked.expert}>
                <b>{ say!("expert {expert}", expert = asked.expert) }</b>
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
        .map(|asked| say!("Expert {expert}: {what}.", expert = asked.expert, what = words(asked)))
        .collect();
    html! {
        <div class="batch-slots">
            <p>{ who }</p>
            <ul>{ for asked.iter().map(expert) }</ul>
            <AtRest words={format!("{} {}", say!("Step {step}.", step), spoken.join(" "))} />
        </div>
    }
}

/// "serves texts 1 and 2, turns text 3 away".
pub fn words(asked: &Asked) -> String {
    let served = texts(&asked.served);
    match asked.lost.is_empty() {
        true => say!("serves {served}", served),
        false => say!("serves {served}, turns {lost} away", served, lost = texts(&asked.lost)),
    }
}
