//! The batch as tables: every token's fate in the selected layer, the experts of one step, and each text beside its run
//! alone.

use yew::prelude::*;

use super::grid::fate_words;
use super::slots::words;
use crate::run::in_step::InStep;
use crate::run::text::inline;
use crate::views::parts::table::{Cell, table};

pub fn tables(batch: &InStep, step: usize, layer: usize) -> Html {
    html! { <>{ tokens(batch, layer) }{ experts(batch, step, layer) }{ texts(batch) }</> }
}

fn tokens(batch: &InStep, layer: usize) -> Html {
    let heads: Vec<String> = (1..=batch.rows.len()).map(|number| say!("text {number}", number)).collect();
    let step = say!("step");
    let head: Vec<&str> = std::iter::once(&*step).chain(heads.iter().map(String::as_str)).collect();
    let rows = (0..batch.steps.len()).map(|step| {
        let cell = |text: usize| match batch.fate(text, step, layer) {
            Some(fate) => Cell::Both(inline(&batch.rows[text].cells[step].text), fate_words(fate).to_string()),
            None => Cell::Said("–".to_owned()),
        };
        std::iter::once(step.to_string().into()).chain((0..batch.rows.len()).map(cell)).collect()
    });
    table(&say!("Tokens of the batch, step by step"), &head, rows)
}

fn experts(batch: &InStep, step: usize, layer: usize) -> Html {
    let rows = batch.asked(step, layer).into_iter().map(|asked| vec![asked.expert.to_string(), words(&asked)]);
    table(&say!("Experts asked at step {step}", step), &[&say!("expert"), &say!("who")], rows)
}

fn texts(batch: &InStep) -> Html {
    let lost = batch.lost();
    let rows = batch.rows.iter().enumerate().map(|(number, row)| {
        let of = |value: Option<String>| value.unwrap_or_else(|| "–".to_owned());
        let alone = row.alone.as_ref();
        vec![
            (number + 1).to_string(),
            lost.of_texts[number].to_string(),
            of(alone.map(|it| it.num_same.to_string())),
            of(alone.map(|it| it.num_fates.to_string())),
            of(alone.map(|it| it.num_routes.to_string())),
            of(alone.map(|it| format!("{:+.4}", it.nats).replace('-', "−"))),
        ]
    });
    let head = [
        say!("text"),
        say!("requests turned away"),
        say!("tokens as alone"),
        say!("with another fate"),
        say!("with other experts"),
        say!("nats more"),
    ];
    table(&say!("Each text beside its run alone, over all layers"), &head.each_ref().map(|name| &**name), rows)
}
