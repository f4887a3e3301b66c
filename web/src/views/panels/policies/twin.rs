//! The policy lab as tables: the policies at one capacity factor, along all factors, and token by token.

use yew::prelude::*;

use super::measures::{LOSS, LOST};
use crate::run::policies::PolicyLab;
use crate::run::scene::TokenFate;
use crate::run::text::inline;
use crate::views::parts::table::{Cell, table};

pub fn tables(lab: &PolicyLab, layer: usize) -> Html {
    html! { <>{ policies(lab) }{ factors(lab) }{ tokens(lab, layer) }</> }
}

fn policies(lab: &PolicyLab) -> Html {
    let rows = lab.outcomes().map(|(policy, outcome)| {
        let measures = &outcome.measures;
        let loss = (LOSS.of)(measures).map_or("–".to_owned(), |nats| format!("{nats:.4}"));
        vec![
            String::from(policy.name()),
            loss,
            say!("{part} of {all}", part = measures.totals.lost, all = measures.totals.requests),
            measures.totals.dropped_tokens.to_string(),
            format!("{:.3}", measures.imbalance),
            outcome.num_different.map_or_else(|| "–".to_owned(), |number| number.to_string()),
        ]
    });
    let caption = say!("Policies at capacity factor {factor}", factor = format_args!("{:.2}", lab.factor));
    let head = [
        say!("policy"),
        say!("nats per token"),
        say!("turned away"),
        say!("dropped"),
        say!("max/mean"),
        say!("tokens that differ"),
    ];
    table(&caption, &head.each_ref().map(|name| &**name), rows)
}

fn factors(lab: &PolicyLab) -> Html {
    let rows = lab.rows.iter().flat_map(|row| {
        row.curve.iter().map(move |point| {
            let written =
                |curve: &super::measures::Curve| (curve.of)(&point.measures).map_or("–".to_owned(), curve.written);
            vec![String::from(row.policy.name()), format!("{:.2}", point.factor), written(&LOSS), written(&LOST)]
        })
    });
    let head = [say!("policy"), say!("factor"), say!("nats per token"), say!("turned away")];
    table(&say!("Policies by capacity factor"), &head.each_ref().map(|name| &**name), rows)
}

fn tokens(lab: &PolicyLab, layer: usize) -> Html {
    let Some((_, first)) = lab.outcomes().next() else { return Html::default() };
    let Some(number) = first.scene.layers.get(layer).map(|layer| layer.layer) else { return Html::default() };
    let mut head = vec!["#".to_owned(), say!("token").into_owned()];
    head.extend(lab.outcomes().map(|(policy, _)| String::from(policy.name())));
    let rows = (0..first.scene.tokens.len()).map(|token| {
        let mut cells = vec![token.to_string().into(), Cell::Text(inline(first.scene.token_text(token)))];
        cells.extend(lab.outcomes().map(|(_, outcome)| {
            let fate = match outcome.scene.layers[layer].fate(token) {
                TokenFate::NotRouted => say!("no request"),
                TokenFate::Served => say!("served"),
                TokenFate::LostSome => say!("turned away"),
                TokenFate::Dropped => say!("dropped"),
            };
            let said = if outcome.differs[layer][token] { say!("{fate}, differs", fate) } else { fate.into_owned() };
            said.into()
        }));
        cells
    });
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    table(&say!("Outcomes in layer {layer} under each policy", layer = number), &head, rows)
}
