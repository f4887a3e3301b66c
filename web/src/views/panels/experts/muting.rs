//! The loss without an expert, beside the loss without each other one: by kind of text, in real runs.

use yew::prelude::*;

use crate::run::experts::Experts;
use crate::run::experts::muting::{Muting, Row};
use crate::state::background::Purpose;
use crate::views::panel::PanelInput;
use crate::views::parts::comparison_bar::comparison_bar;
use crate::words::numbers::{count, difference};

pub fn muting(input: &PanelInput, experts: &Experts, expert: usize) -> Html {
    let muting = input.comparisons.muting.as_deref();
    let progress = input.comparisons.muting_progress.as_ref();
    let is_whole = muting.is_some_and(|it| it.all().others.len() == it.num_others);
    let start = format!("Mute expert {expert}, and each other one");
    html! {
        <section class="expert-muting">
            { comparison_bar(input, Purpose::Muting, (!is_whole).then_some(start.as_str()), progress) }
            if let Some(muting) = muting {
                <p class="experts-cost">{ cost_words(experts, muting) }</p>
                { rows(muting) }
            } else {
                <p class="fine">
                    { "The texts are read again, once as they are and once for every expert of the layer with that one muted: who would \
                       have asked it asks the next best." }
                </p>
            }
        </section>
    }
}

/// "Without expert 3 of layer 1 the text costs +0.120 nats per token; without another one +0.045 on average, and 6 of 7 cost less".
pub fn cost_words(experts: &Experts, muting: &Muting) -> String {
    let all = muting.all();
    let cost = format!(
        "Without expert {} of layer {} the loss changes by {} nats per token",
        muting.expert,
        experts.name,
        difference(all.cost())
    );
    match all.cost_of_another() {
        Some(another) => format!(
            "{cost}; without another one by {} on average, and {} of {} cost less",
            difference(another),
            all.num_cheaper(),
            count(all.others.len(), "other", "others"),
        ),
        None => format!("{cost}; the others are still to be muted"),
    }
}

fn rows(muting: &Muting) -> Html {
    let row = |row: &Row| {
        html! {
            <tr>
                <th scope="row">{ &*row.kind }</th>
                { for cells(row).into_iter().map(|cell| html! { <td>{ cell }</td> }) }
            </tr>
        }
    };
    html! {
        <div class="experts-scroll" tabindex="0" role="group" aria-label="Loss with experts muted">
            <table>
                <thead><tr>{ for HEAD.iter().map(|head| html! { <th scope="col">{ *head }</th> }) }</tr></thead>
                <tbody>{ for muting.rows.iter().map(row) }</tbody>
            </table>
        </div>
    }
}

pub const HEAD: [&str; 6] =
    ["text", "tokens", "nats/token", "this one muted", "another one muted", "others that cost less"];

/// A row but for its heading.
pub fn cells(row: &Row) -> [String; 5] {
    [
        row.num_tokens.to_string(),
        format!("{:.3}", row.as_run),
        difference(row.cost()),
        row.cost_of_another().map_or_else(|| "–".to_owned(), difference),
        format!("{} of {}", row.num_cheaper(), row.others.len()),
    ]
}
