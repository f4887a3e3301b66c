//! The policy lab as tables: the policies at one capacity factor, along all factors, and token by token.

use yew::prelude::*;

use super::measures::{LOSS, LOST};
use crate::run::policies::PolicyLab;
use crate::run::scene::TokenFate;
use crate::run::text::inline;
use crate::views::parts::table::table;

pub fn tables(lab: &PolicyLab, layer: usize) -> Html {
    html! { <>{ policies(lab) }{ factors(lab) }{ tokens(lab, layer) }</> }
}

fn policies(lab: &PolicyLab) -> Html {
    let rows = lab.outcomes().map(|(policy, outcome)| {
        let measures = &outcome.measures;
        let loss = (LOSS.of)(measures).map_or("–".to_owned(), |nats| format!("{nats:.4}"));
        vec![
            policy.name().into_owned(),
            loss,
            format!("{} of {}", measures.totals.lost, measures.totals.requests),
            measures.totals.dropped_tokens.to_string(),
            format!("{:.3}", measures.imbalance),
            outcome.num_different.map_or_else(|| "–".to_owned(), |number| number.to_string()),
        ]
    });
    let caption = format!("Policies at capacity factor {:.2}", lab.factor);
    table(&caption, &["policy", "nats per token", "turned away", "dropped", "max/mean", "tokens that differ"], rows)
}

fn factors(lab: &PolicyLab) -> Html {
    let rows = lab.rows.iter().flat_map(|row| {
        row.curve.iter().map(move |point| {
            let written =
                |curve: &super::measures::Curve| (curve.of)(&point.measures).map_or("–".to_owned(), curve.written);
            vec![row.policy.name().into_owned(), format!("{:.2}", point.factor), written(&LOSS), written(&LOST)]
        })
    });
    table("Policies by capacity factor", &["policy", "factor", "nats per token", "turned away"], rows)
}

fn tokens(lab: &PolicyLab, layer: usize) -> Html {
    let Some((_, first)) = lab.outcomes().next() else { return Html::default() };
    let Some(number) = first.scene.layers.get(layer).map(|layer| layer.layer) else { return Html::default() };
    let names: Vec<_> = lab.outcomes().map(|(policy, _)| policy.name()).collect();
    let mut head = vec!["#", "token"];
    head.extend(names.iter().map(|name| &**name));
    let rows = (0..first.scene.tokens.len()).map(|token| {
        let mut cells = vec![token.to_string(), inline(first.scene.token_text(token))];
        cells.extend(lab.outcomes().map(|(_, outcome)| {
            let fate = match outcome.scene.layers[layer].fate(token) {
                TokenFate::NotRouted => "no request",
                TokenFate::Served => "served",
                TokenFate::LostSome => "turned away",
                TokenFate::Dropped => "dropped",
            };
            let differs = if outcome.differs[layer][token] { ", differs" } else { "" };
            format!("{fate}{differs}")
        }));
        cells
    });
    table(&format!("Outcomes in layer {number} under each policy"), &head, rows)
}
