//! Every expert of the layer as a table, and what muting one costs.

use yew::prelude::*;

use super::finding::{rate, times};
use super::muting::{HEAD, cells};
use crate::run::experts::muting::Muting;
use crate::run::experts::{Expert, Experts};
use crate::run::text::inline;
use crate::views::parts::table::table;
use crate::words::numbers::{digits, percent};

pub fn table_of(experts: &Experts, muting: Option<&Muting>) -> Html {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    let row = |(at, expert): (usize, &Expert)| {
        // What holds, or else what came nearest.
        let clearest = expert.specialities().next().or(expert.tokens.first()).or(expert.kinds.first());
        let is_enough = experts.sample.is_enough();
        vec![
            format!("E{at}"),
            expert.asked.to_string(),
            expert.served.to_string(),
            percent(expert.load as f32),
            or_dash(expert.mass.map(|mass| percent(mass as f32))),
            or_dash(expert.lead.map(digits)),
            or_dash(expert.partners.first().map(|it| format!("E{} {}", it.expert, percent(it.share as f32)))),
            match expert.specialities().next() {
                Some(holds) => inline(&holds.words),
                None if is_enough => "no clear speciality".to_owned(),
                None => "too little text".to_owned(),
            },
            or_dash(clearest.map(|it| inline(&it.words))),
            or_dash(clearest.map(|it| times(it.first.lift()))),
            or_dash(clearest.map(|it| rate(it.rate))),
            or_dash(clearest.map(|it| times(it.second.lift()))),
        ]
    };
    let head = [
        "expert",
        "asked by",
        "served",
        "of requests",
        "of the gate",
        "lead in logits",
        "most often with",
        "speciality",
        "clearest",
        "first half",
        "false-discovery rate",
        "second half",
    ];
    let caption = format!("Experts of layer {}, over {} tokens", experts.name, experts.sample.num_tokens());
    html! {
        <>
            { table(&caption, &head, experts.experts.iter().enumerate().map(row)) }
            if let Some(muting) = muting {
                { table(
                    &format!("Loss with expert {} of layer {} muted", muting.expert, experts.name),
                    &HEAD,
                    muting.rows.iter().map(|row| std::iter::once(row.kind.to_string()).chain(cells(row)).collect()),
                ) }
            }
        </>
    }
}
