//! Every expert of the layer as a table, and what muting one costs.

use yew::prelude::*;

use super::finding::{rate, times, words_of};
use super::muting::{HEAD, cells};
use crate::run::experts::muting::Muting;
use crate::run::experts::{Expert, Experts};
use crate::run::text::inline;
use crate::views::parts::table::table;
use crate::words::numbers::{digits, percent};
use crate::words::tongue;

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
                Some(holds) => inline(&words_of(expert, holds)),
                None if is_enough => say!("no clear speciality").into_owned(),
                None => say!("too little text").into_owned(),
            },
            or_dash(clearest.map(|it| inline(&words_of(expert, it)))),
            or_dash(clearest.map(|it| times(it.first.lift()))),
            or_dash(clearest.map(|it| rate(it.rate))),
            or_dash(clearest.map(|it| times(it.second.lift()))),
        ]
    };
    let head = [
        say!("expert"),
        say!("asked by"),
        say!("served"),
        say!("of requests"),
        say!("of the gate"),
        say!("lead in logits"),
        say!("most often with"),
        say!("speciality"),
        say!("clearest"),
        say!("first half"),
        say!("false-discovery rate"),
        say!("second half"),
    ];
    let caption = say!(
        "Experts of layer {layer}, over {number} tokens",
        layer = experts.name,
        number = experts.sample.num_tokens()
    );
    html! {
        <>
            { table(&caption, &head.each_ref().map(|name| &**name), experts.experts.iter().enumerate().map(row)) }
            if let Some(muting) = muting {
                { table(
                    &say!("Loss with expert {expert} of layer {layer} muted", expert = muting.expert, layer = experts.name),
                    &HEAD.map(tongue::translated).each_ref().map(|name| &**name),
                    muting.rows.iter().map(|row| {
                        std::iter::once(tongue::translated(&row.kind).into_owned()).chain(cells(row)).collect()
                    }),
                ) }
            }
        </>
    }
}
