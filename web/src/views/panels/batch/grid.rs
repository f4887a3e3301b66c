//! The texts below each other, a column for each step: every token with what became of it in the selected layer.

use std::borrow::Cow;

use yew::prelude::*;

use crate::run::in_step::InStep;
use crate::run::scene::TokenFate;
use crate::run::text::{quoted, visible};
use crate::state::Action;
use crate::views::panel::PanelInput;
use crate::views::parts::glyph::{Mark, glyph};

pub fn grid(input: &PanelInput, batch: &InStep, selected: usize) -> Html {
    let layer = input.selection.layer;
    let choose = |step: usize| {
        let dispatch = input.dispatch.clone();
        Callback::from(move |_: MouseEvent| dispatch.emit(Action::SelectStepInStep(step)))
    };
    let head = |step: usize| {
        html! {
            <th scope="col" key={step} class={(step == selected).then_some("is-selected")}>
                <button type="button" aria-label={say!("Step {step}", step)} aria-pressed={(step == selected).to_string()} onclick={choose(step)}>{ step }</button>
            </th>
        }
    };
    let cell = |text: usize, step: usize| {
        let Some(fate) = batch.fate(text, step, layer) else { return html! { <td key={step} /> } };
        let cell = &batch.rows[text].cells[step];
        let is_loser = fate >= TokenFate::LostSome;
        let class = classes!(
            fate_class(fate),
            (step == selected).then_some("is-selected"),
            (!cell.is_prompt).then_some("is-written")
        );
        let title = say!(
            "Text {text}, step {step}, {token}: {fate}",
            text = text + 1,
            step,
            token = quoted(&cell.text),
            fate = fate_words(fate),
        );
        html! {
            <td key={step} {class} {title} onclick={choose(step)}>
                <bdi>{ visible(&cell.text) }</bdi>
                if is_loser {
                    { glyph(if fate == TokenFate::Dropped { Mark::Dropped } else { Mark::Lost }) }
                    <span class="hidden">{ fate_words(fate) }</span>
                }
            </td>
        }
    };
    let steps = || 0..batch.steps.len();
    let row = |text: usize| {
        html! {
            <tr key={text}>
                <th scope="row">{ say!("text {number}", number = text + 1) }</th>
                { for steps().map(|step| cell(text, step)) }
            </tr>
        }
    };
    html! {
        <div class="batch-grid" tabindex="0" role="group" aria-label={say!("The texts in step; a column for each step")}>
            <table>
                <thead><tr><th scope="col">{ say!("step") }</th>{ for steps().map(head) }</tr></thead>
                <tbody>{ for (0..batch.rows.len()).map(row) }</tbody>
            </table>
        </div>
    }
}

pub fn fate_words(fate: TokenFate) -> Cow<'static, str> {
    match fate {
        TokenFate::NotRouted => say!("no request"),
        TokenFate::Served => say!("served"),
        TokenFate::LostSome => say!("turned away"),
        TokenFate::Dropped => say!("dropped"),
    }
}

fn fate_class(fate: TokenFate) -> Option<&'static str> {
    match fate {
        TokenFate::NotRouted | TokenFate::Served => None,
        TokenFate::LostSome => Some("is-lost"),
        TokenFate::Dropped => Some("is-dropped"),
    }
}
