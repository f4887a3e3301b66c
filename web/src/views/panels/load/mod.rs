//! Load per expert: requests before capacity, and those that were served.

mod finding;

use moe_router::metrics;
use yew::prelude::*;

use crate::settings::view::PanelName;
use crate::state::Action;
use crate::views::panel::{Depth, Panel, PanelInput, Sees, Tab};
use crate::views::parts::sized::{at_height, upward};
use crate::views::parts::table::table;
use crate::views::parts::term::term;
use crate::words::glossary;

pub static PANEL: Panel = Panel {
    name: PanelName::Load,
    kind: marked!("Load"),
    area: "load",
    tab: Tab::Own(marked!("Load")),
    depth: Depth::Inspect,
    sees: Sees::Run,
    lacks: |_| None,
    topic: |input| say!("Load · layer {layer}", layer = input.layer().layer),
    finding: |input| finding::finding(input.layer()),
    badges: |_| Html::default(),
    picture,
    table: Some(as_table),
};

fn picture(input: &PanelInput) -> Html {
    let layer = input.layer();
    let (demand, load) = (metrics::demand(&layer.routing), metrics::load(&layer.routing));
    let capacity = layer.routing.capacity;
    let top = demand.iter().copied().chain(capacity).max().unwrap_or(1).max(1);
    let mean = f64::from(demand.iter().sum::<u32>()) / demand.len().max(1) as f64;
    let share = |number: f64| number / f64::from(top);
    // Labels of lines that lie close together would cover each other.
    let is_close = capacity.is_some_and(|capacity| (f64::from(capacity) - mean).abs() < 0.16 * f64::from(top));
    let side = |below: bool| {
        if !is_close {
            None
        } else if below {
            Some("is-below")
        } else {
            Some("is-above")
        }
    };
    let mean_is_lower = capacity.is_none_or(|capacity| mean <= f64::from(capacity));
    let rule = |number: f64, class: &'static str, is_lower: bool, words: String| {
        at_height(share(number), html! { <span class={classes!(class, side(is_lower))}><em>{ words }</em></span> })
    };
    // Where columns are narrow the label is the number alone, and where they are narrower not each has one.
    let label_every = demand.len() / 12 + 1;
    let label = |expert: usize| match demand.len() {
        0..=10 => format!("E{expert}"),
        _ if expert.is_multiple_of(label_every) => expert.to_string(),
        _ => String::new(),
    };
    let columns = demand.iter().zip(&load).enumerate().map(|(expert, (&asked, &served))| {
        let choose = {
            let dispatch = input.dispatch.clone();
            Callback::from(move |_: MouseEvent| dispatch.emit(Action::SelectExpert(Some(expert))))
        };
        let is_selected = input.selection.expert == Some(expert);
        // All are one stop of the Tab key; `[` and `]` go on from there.
        let tabindex = if input.selection.expert.unwrap_or_default() == expert { "0" } else { "-1" };
        let title = say!(
            "Expert {expert}: {requests}, {served} served",
            expert,
            requests = many!(asked, "{n} request", "{n} requests"),
            served,
        );
        // What is written on the button is its name, for those who say it, with words between.
        let words = match asked {
            1 => say!("request, {served} served", served),
            _ => say!("requests, {served} served", served),
        };
        html! {
            <button type="button" key={expert} class={classes!("column", is_selected.then_some("is-selected"))}
                data-grid="load" {tabindex} aria-pressed={is_selected.to_string()} {title}
                onclick={choose}>
                { upward("asked", share(asked.into())) }
                { upward("served", share(served.into())) }
                { at_height(share(asked.into()), html! { <b>{ asked }<span class="hidden">{ say!(" {words}: ", words) }</span></b> }) }
                <small>{ label(expert) }</small>
            </button>
        }
    });
    let stats = [(say!("requests"), &demand), (say!("served"), &load)].map(|(name, counts)| {
        let (ratio, cv) = (metrics::max_over_mean(counts), metrics::demand_cv(counts));
        html! { <li><span>{ name }</span><b>{ format!("{ratio:.2}") }</b><b>{ format!("{cv:.2}") }</b></li> }
    });
    html! {
        <div class="with-stats">
            <div class="columns" role="group" aria-label={finding::finding(layer)}>
                { for columns }
                <div class="rules" aria-hidden="true">
                    { rule(mean, "mean", mean_is_lower, say!("mean {mean}", mean = format_args!("{mean:.1}"))) }
                    if let Some(capacity) = capacity {
                        { rule(capacity.into(), "limit", !mean_is_lower, format!("C {capacity}")) }
                    }
                </div>
            </div>
            <ul class="stats">
                <li class="stats-head"><span /><span>{ say!("max/mean") }</span>
                    { term(&glossary::IMBALANCE, "", html! { { say!("CV") } }) }</li>
                { for stats }
            </ul>
        </div>
    }
}

fn as_table(input: &PanelInput) -> Html {
    let layer = input.layer();
    let (demand, load) = (metrics::demand(&layer.routing), metrics::load(&layer.routing));
    let importance = metrics::importance(&layer.routing);
    let rows = (0..demand.len()).map(|expert| {
        vec![
            expert.to_string(),
            demand[expert].to_string(),
            load[expert].to_string(),
            (demand[expert] - load[expert]).to_string(),
            format!("{:.3}", importance[expert]),
        ]
    });
    let head = [say!("expert"), say!("requests"), say!("served"), say!("turned away"), say!("sum of weights")];
    table(&say!("Load per expert"), &head.each_ref().map(|name| &**name), rows)
}
