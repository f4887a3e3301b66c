//! Dropped where? The share of requests turned away along the text, over all runs with the same routing.

mod finding;

use yew::prelude::*;

use crate::run::positions::ByPosition;
use crate::settings::view::PanelName;
use crate::views::panel::{Depth, Panel, Sees, Tab};
use crate::views::parts::sized::{at_height, upward};
use crate::views::parts::table::table;
use crate::words::numbers::percent;
use crate::words::tongue;

pub static PANEL: Panel = Panel {
    name: PanelName::Positions,
    kind: marked!("Dropped where?"),
    area: "row",
    tab: Tab::Of(PanelName::Runs),
    depth: Depth::Lab,
    sees: Sees::History,
    lacks: |input| {
        let is_none = input.history.by_position.is_none();
        is_none.then_some(marked!("One token at a time nobody is turned away, wherever it stands"))
    },
    topic: |_| tongue::translated(PANEL.kind).into_owned(),
    finding: |input| input.history.by_position.as_deref().map_or_else(String::new, finding::finding),
    badges: |_| Html::default(),
    picture: |input| input.history.by_position.as_deref().map_or_else(Html::default, picture),
    table: Some(|input| input.history.by_position.as_deref().map_or_else(Html::default, as_table)),
};

/// "tokens 0–5".
fn stretch(by: &ByPosition, at: usize) -> String {
    let first = at * by.stretch;
    let last = (first + by.stretch).min(by.longest).saturating_sub(1);
    if first == last { format!("{first}") } else { format!("{first}–{last}") }
}

/// Stretches that the longest text reaches.
fn stretches(by: &ByPosition) -> impl Iterator<Item = (usize, Option<f64>)> + '_ {
    by.shares.iter().copied().enumerate().filter(|(at, _)| at * by.stretch < by.longest)
}

fn picture(by: &ByPosition) -> Html {
    let most = by.shares.iter().flatten().copied().fold(0.0, f64::max);
    let of_most = |share: f64| if most > 0.0 { share / most } else { 0.0 };
    let columns = stretches(by).map(|(at, share)| {
        let written = share.map_or_else(|| "–".to_owned(), |share| percent(share as f32));
        let height = of_most(share.unwrap_or_default());
        html! {
            <div key={at} class="column" title={say!("Tokens {tokens}: {share} turned away", tokens = stretch(by, at), share = written)}>
                { upward("served", height) }
                { at_height(height, html! { <b>{ written }</b> }) }
                <small>{ at * by.stretch }</small>
            </div>
        }
    });
    let (lost, requests) = (by.lost, many!(by.requests, "{n} request", "{n} requests"));
    let runs = many!(by.num_runs, "{n} run", "{n} runs");
    html! {
        <div class="positions">
            <div class="columns" role="img" aria-label={finding::finding(by)}>{ for columns }</div>
            <p class="fine">
                { say!("{lost} of {requests} turned away, in {runs}, by position of the token; rank correlation of position and share \
                    {correlation}. The same request counts once; another rule, policy or capacity factor is counted apart.",
                    lost, requests, runs, correlation = format_args!("{:.2}", by.correlation)) }
            </p>
        </div>
    }
}

fn as_table(by: &ByPosition) -> Html {
    let rows = stretches(by)
        .map(|(at, share)| vec![stretch(by, at), share.map_or_else(|| "–".to_owned(), |share| percent(share as f32))]);
    table(&say!("Requests turned away by position of the token"), &[&say!("tokens"), &say!("turned away")], rows)
}
