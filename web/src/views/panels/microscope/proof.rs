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
            of.map_or("no request".to_owned(), |of| {
                let slot = of.fate.slot().map_or(String::new(), |slot| format!(", slot {slot}"));
                format!("E{}, {:.7}, {}{slot}", of.expert, of.weight, names::fate(of.fate))
            })
        };
        html! {
            <tr key={rank}>
                <th scope="row">{ format!("choice {}", rank + 1) }</th>
                <td>{ cell(recorded) }</td>
                <td>{ cell(computed) }</td>
            </tr>
        }
    };
    let slots = |capacity: Option<u32>| capacity.map_or("no limit".to_owned(), |capacity| format!("{capacity} slots"));
    let (before, after) = comparison.capacity;
    let requests = comparison.requests.iter().enumerate();
    html! {
        <>
            <p class="micro-verdict"><b>{ if comparison.holds { "Equal." } else { "Not equal." } }</b>
                { format!(" Largest difference of two weights: {}; allowed: {}.",
                    digits(comparison.difference.into()), digits(TOLERANCE.into())) }</p>
            <table class="micro-proof">
                <caption>{ "The recorded gate logits of all tokens that share slots, routed again on this page" }</caption>
                <thead><tr><th scope="col">{ "expert, weight, fate" }</th><th scope="col">{ "recorded" }</th>
                    <th scope="col">{ "computed here" }</th></tr></thead>
                <tbody>
                    { for requests.map(|(rank, (recorded, computed))| row(rank, *recorded, *computed)) }
                    <tr><th scope="row">{ "capacity" }</th><td>{ slots(before) }</td><td>{ slots(after) }</td></tr>
                </tbody>
            </table>
            if comparison.without_bias {
                <p class="fine">{ "The trace holds no selection bias; it was taken for 0." }</p>
            }
        </>
    }
}
