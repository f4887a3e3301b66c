//! The loss without an expert, beside the loss without each other one: by kind of text, in real runs.

use yew::prelude::*;

use crate::run::experts::Experts;
use crate::run::experts::muting::{Muting, Row};
use crate::state::background::Purpose;
use crate::views::panel::PanelInput;
use crate::views::parts::comparison_bar::comparison_bar;
use crate::words::numbers::difference;
use crate::words::tongue;

pub fn muting(input: &PanelInput, experts: &Experts, expert: usize) -> Html {
    let muting = input.comparisons.muting.as_deref();
    let progress = input.comparisons.muting_progress.as_ref();
    let is_whole = muting.is_some_and(|it| it.all().others.len() == it.num_others);
    let start = say!("Mute expert {expert}, and each other one", expert);
    html! {
        <section class="expert-muting">
            { comparison_bar(input, Purpose::Muting, (!is_whole).then_some(start.as_str()), progress) }
            if let Some(muting) = muting {
                <p class="experts-cost">{ cost_words(experts, muting) }</p>
                { rows(muting) }
            } else {
                <p class="fine">
                    { say!("The texts are read again, once as they are and once for every expert of the layer with that one muted: who would \
                       have asked it asks the next best.") }
                </p>
            }
        </section>
    }
}

/// "Without expert 3 of layer 1 the text costs +0.120 nats per token; without another one +0.045 on average, and 6 of 7 cost less".
pub fn cost_words(experts: &Experts, muting: &Muting) -> String {
    let all = muting.all();
    let (expert, layer, nats) = (muting.expert, experts.name, difference(all.cost()));
    match all.cost_of_another() {
        Some(another) => many!(
            all.others.len(),
            "Without expert {expert} of layer {layer} the loss changes by {nats} nats per token; without another one by {another} on average, and {cheaper} of {n} other cost less",
            "Without expert {expert} of layer {layer} the loss changes by {nats} nats per token; without another one by {another} on average, and {cheaper} of {n} others cost less",
            expert,
            layer,
            nats,
            another = difference(another),
            cheaper = all.num_cheaper(),
        ),
        None => say!(
            "Without expert {expert} of layer {layer} the loss changes by {nats} nats per token; the others are still to be muted",
            expert,
            layer,
            nats,
        ),
    }
}

fn rows(muting: &Muting) -> Html {
    let row = |row: &Row| {
        html! {
            <tr>
                <th scope="row">{ tongue::translated(&row.kind).into_owned() }</th>
                { for cells(row).into_iter().map(|cell| html! { <td>{ cell }</td> }) }
            </tr>
        }
    };
    html! {
        <div class="experts-scroll" tabindex="0" role="group" aria-label={say!("Loss with experts muted")}>
            <table>
                <thead><tr>{ for HEAD.iter().map(|head| html! { <th scope="col">{ tongue::translated(head) }</th> }) }</tr></thead>
                <tbody>{ for muting.rows.iter().map(row) }</tbody>
            </table>
        </div>
    }
}

/// Marked.
pub const HEAD: [&str; 6] = [
    marked!("text"),
    marked!("tokens"),
    marked!("nats/token"),
    marked!("this one muted"),
    marked!("another one muted"),
    marked!("others that cost less"),
];

/// A row but for its heading.
pub fn cells(row: &Row) -> [String; 5] {
    [
        row.num_tokens.to_string(),
        format!("{:.3}", row.as_run),
        difference(row.cost()),
        row.cost_of_another().map_or_else(|| "–".to_owned(), difference),
        say!("{number} of {of}", number = row.num_cheaper(), of = row.others.len()),
    ]
}
