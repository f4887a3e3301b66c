//! The slots of a method that is tried, drawn as its kind wants it: two levels as two levels, one decision for all as one
//! decision, an assignment with its prices, expert choice from the expert's side.

use moe_router::rules::Insight;
use moe_trace::ExpertIdx;
use yew::prelude::*;

use crate::run::text::quoted;
use crate::run::tried::Routed;
use crate::views::panel::PanelInput;
use crate::views::parts::lane::LaneView;
use crate::views::parts::section::section;
use crate::views::parts::sized::bar;
use crate::words::numbers::percent;

pub fn of_kind(input: &PanelInput, routed: &Routed) -> Html {
    let layer = &routed.layer;
    let all = || lanes(input, routed, 0, layer.num_experts);
    match &routed.insight {
        _ if layer.experts_take() => html! { <>{ expert_side(routed) }{ all() }</> },
        None => all(),
        Some(Insight::Prices(prices)) => html! { <>{ price_list(prices) }{ all() }</> },
        Some(Insight::OneDecision(shares)) => html! {
            <>
                <p>{ one_decision(input, routed) }</p>
                { bars(shares.iter().map(|&share| (share as f32, percent(share as f32)))) }
            </>
        },
        Some(Insight::Groups { size, shares }) => {
            let num_groups = layer.num_experts / size;
            let token = input.selection.token - input.group().1.first;
            let of_token = &shares[token * num_groups..][..num_groups];
            let name = quoted(input.scene.token_text(input.selection.token));
            let level = |(group, &share): (usize, &f64)| {
                let title = say!("Group {group}", group);
                html! {
                    <section class="level" aria-label={title.clone()}>
                        <p>{ weave!("{group} · the first gate gives {token} {share}", group = html! { <b>{ title }</b> },
                            token = Html::from(name.clone()), share = Html::from(percent(share as f32))) }</p>
                        { lanes(input, routed, group * size, *size) }
                    </section>
                }
            };
            html! { <div class="levels">{ for of_token.iter().enumerate().map(level) }</div> }
        }
    }
}

/// The slots of some experts, from `first` on.
fn lanes(input: &PanelInput, routed: &Routed, first: usize, num_experts: usize) -> Html {
    let (scene, layer) = (&input.scene, &routed.layer);
    let (group_idx, group) = input.group();
    let capacity = layer.capacities.get(group_idx).copied().flatten();
    let of_expert = |expert: usize| layer.lane(&group, ExpertIdx(expert as u32));
    let widest = (0..layer.num_experts).map(|expert| of_expert(expert).kept.len()).max().unwrap_or_default();
    let width = capacity.map_or(widest, |slots| (slots as usize).min(group.num_tokens.max(widest)));
    let size = (capacity.map(|slots| slots as usize), width);
    let rows = (first..first + num_experts).map(|expert| {
        let lane = of_expert(expert);
        section(expert, LaneView::of((scene, layer), &lane, size, input.selection, None, &input.dispatch))
    });
    let is_crowded = layer.num_experts > 8;
    html! { <div class={classes!("lanes", is_crowded.then_some("is-crowded"))}>{ for rows }</div> }
}

/// Experts pick: what that leaves to the tokens.
fn expert_side(routed: &Routed) -> Html {
    let comparison = &routed.comparison;
    html! {
        <p>
            { many!(comparison.unserved,
                "Each row is an expert and the tokens that it picks. {n} token is picked by none, and one token by up to {most}.",
                "Each row is an expert and the tokens that it picks. {n} tokens are picked by none, and one token by up to {most}.",
                most = comparison.most_served) }
        </p>
    }
}

fn one_decision(input: &PanelInput, routed: &Routed) -> String {
    let requests = routed.layer.of_token(input.selection.token);
    let experts: Vec<String> = requests.iter().map(|request| request.expert.to_string()).collect();
    many!(
        routed.comparison.num_tokens,
        "One decision for all {n} token of the text, by the mean of their gate logits: experts {experts}.",
        "One decision for all {n} tokens of the text, by the mean of their gate logits: experts {experts}.",
        experts = experts.join(&say!(", "))
    )
}

/// What a slot costs at each expert: the longest bar is the dearest.
fn price_list(prices: &[f64]) -> Html {
    let dearest = prices.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    html! {
        <>
            <p>{ say!("What a slot costs at each expert, in logits. A token goes where its logit, less the price, is largest.") }</p>
            { bars(prices.iter().map(|&price| ((price / dearest) as f32, format!("{price:.2}")))) }
        </>
    }
}

/// A bar for each expert, with its number.
fn bars(values: impl Iterator<Item = (f32, String)>) -> Html {
    html! {
        <ul class="expert-bars">
            { for values.enumerate().map(|(expert, (share, words))| html! {
                <li><b>{ format!("E{expert}") }</b>{ bar(share) }<span>{ words }</span></li>
            }) }
        </ul>
    }
}
