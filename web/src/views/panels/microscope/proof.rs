//! The proof: the decision as recorded and as the router on this page takes it again, side by side.

use std::borrow::Cow;

use moe_trace::Assignment;
use yew::prelude::*;

use crate::run::proof::{self, Comparison, TOLERANCE};
use crate::views::panel::PanelInput;
use crate::words::names;
use crate::words::numbers::digits;

/// The selected token's decision, twice.
pub fn again(input: &PanelInput) -> Result<Comparison, Cow<'static, str>> {
    proof::again(&input.scene, input.selection.layer, input.selection.token).map_err(proof::NotAgain::why)
}

pub fn proof(input: &PanelInput) -> Html {
    let comparison = match again(input) {
        Ok(comparison) => comparison,
        Err(why) => return html! { <p>{ why }</p> },
    };
    let row = |rank: usize, recorded: Option<Assignment>, computed: Option<Assignment>| {
        let cell = |of: Option<Assignment>| {
            let Some(of) = of else { return say!("no request").into_owned() };
            let (expert, weight, fate) = (of.expert, format!("{:.7}", of.weight), names::fate(of.fate));
            match of.fate.slot() {
                None => say!("E{expert}, {weight}, {fate}", expert, weight, fate),
                Some(slot) => say!("E{expert}, {weight}, {fate}, slot {slot}", expert, weight, fate, slot),
            }
        };
        html! {
            <tr key={rank}>
                <th scope="row">{ say!("choice {choice}", choice = rank + 1) }</th>
                <td>{ cell(recorded) }</td>
                <td>{ cell(computed) }</td>
            </tr>
        }
    };
    let slots = |capacity: Option<u32>| match capacity {
        None => say!("no limit").into_owned(),
        Some(slots) => say!("{slots} slots", slots),
    };
    let (before, after) = comparison.capacity;
    let requests = comparison.requests.iter().enumerate();
    html! {
        <>
            <p class="micro-verdict"><b>{ if comparison.holds { say!("Equal.") } else { say!("Not equal.") } }</b>{ " " }
                { say!("Largest difference of two weights: {difference}; allowed: {allowed}.",
                    difference = digits(comparison.difference.into()), allowed = digits(TOLERANCE.into())) }</p>
            <table class="micro-proof">
                <caption>{ say!("The recorded gate logits of all tokens that share slots, routed again on this page") }</caption>
                <thead><tr><th scope="col">{ say!("expert, weight, fate") }</th><th scope="col">{ say!("recorded") }</th>
                    <th scope="col">{ say!("computed here") }</th></tr></thead>
                <tbody>
                    { for requests.map(|(rank, (recorded, computed))| row(rank, *recorded, *computed)) }
                    <tr><th scope="row">{ say!("capacity") }</th><td>{ slots(before) }</td><td>{ slots(after) }</td></tr>
                </tbody>
            </table>
            if comparison.without_bias {
                <p class="fine">{ say!("The trace holds no selection bias; it was taken for 0.") }</p>
            }
        </>
    }
}
