//! What a drop costs: the loss of each token with what its requests lost, beside that with every request served.

mod finding;

use std::borrow::Cow;
use std::fmt::Write;

use moe_trace::{Overflow, RoutingGroup};
use yew::prelude::*;

use crate::run::drops::{Cost, Drops};
use crate::run::text::{inline, quoted};
use crate::settings::view::PanelName;
use crate::state::Action;
use crate::state::background::Purpose;
use crate::views::panel::{Depth, Panel, PanelInput, Sees, Tab};
use crate::views::parts::comparison_bar::comparison_bar;
use crate::views::parts::hover::say_on_hover;
use crate::views::parts::sized::{across, at_share};
use crate::views::parts::table::{Cell, table};
use crate::words::{names, numbers, tongue};

pub static PANEL: Panel = Panel {
    name: PanelName::Drops,
    kind: marked!("What a drop costs"),
    area: "row",
    tab: Tab::Of(PanelName::Policies),
    depth: Depth::Lab,
    sees: Sees::Comparisons,
    lacks: |input| {
        let request = &input.scene.recording.request;
        match (request.group, request.routing.overflow) {
            _ if input.comparisons.policies.is_none() => {
                Some(marked!("Not all of this text was recorded, so it cannot be run again"))
            }
            (RoutingGroup::DecodeStep, _) => {
                Some(marked!("One token at a time nobody is turned away, so nothing is lost"))
            }
            (_, Overflow::Dropless) => Some(marked!("This run serves every request, so nothing is lost")),
            _ => None,
        }
    },
    topic: |_| tongue::translated(PANEL.kind).into_owned(),
    finding: |input| match &input.comparisons.drops {
        Some(drops) => finding::finding(drops),
        None => say!("What this text pays for requests that were turned away is not computed yet").into_owned(),
    },
    badges: |_| Html::default(),
    picture,
    table: Some(|input| input.comparisons.drops.as_deref().map_or_else(Html::default, as_table)),
};

const HEIGHT: f64 = 72.0;
const STEP: usize = 10;

fn picture(input: &PanelInput) -> Html {
    let drops = input.comparisons.drops.as_deref();
    let start = drops.is_none().then(|| say!("Compute what was lost"));
    let progress = input.comparisons.drops_progress.as_ref();
    html! {
        <div class="drops">
            { comparison_bar(input, Purpose::Drops, start.as_deref(), progress) }
            if let Some(drops) = drops {
                <div class="with-stats">
                    { chart(input, drops) }
                    { stats(drops) }
                </div>
                <p class="fine">{ costliest(drops) }</p>
            } else {
                <p class="fine">{ say!("The text of the run is read again as a whole, once as it was routed and once with every request served; nothing is written.") }</p>
            }
        </div>
    }
}

/// Up for what the losses cost, down for what they saved; a mark below each token that was turned away.
fn chart(input: &PanelInput, drops: &Drops) -> Html {
    let costs = || drops.tokens.iter().filter_map(|token| token.nats);
    let (least, most) = (costs().fold(0.0, f64::min), costs().fold(0.0, f64::max));
    // A loss changed by less than this is drawn as flat.
    let scale = HEIGHT / (most - least).max(0.01);
    let zero = most * scale;
    let (mut bars, mut marks) = (String::new(), String::new());
    for (token, cost) in drops.tokens.iter().enumerate() {
        let x = token * STEP + 1;
        // Writing to a string cannot fail.
        if let Some(nats) = cost.nats {
            let _ = write!(bars, "M{x} {zero:.2}v{:.2}h8v{:.2}z", -nats * scale, nats * scale);
        }
        if cost.num_lost > 0 {
            let _ = write!(marks, "M{x} {:.1}h8v4h-8z", HEIGHT + 4.0);
        }
    }
    let num_tokens = drops.tokens.len();
    let (width, height) = ((num_tokens * STEP).max(STEP), HEIGHT + 9.0);
    let is_right_to_left = drops.with.is_right_to_left;
    let token_at = move |event: &MouseEvent| {
        let chart: web_sys::Element = event.target_unchecked_into();
        let share = f64::from(event.offset_x()) / f64::from(chart.client_width().max(1));
        let column = ((share * num_tokens as f64).max(0.0) as usize).min(num_tokens.saturating_sub(1));
        if is_right_to_left { num_tokens.saturating_sub(column + 1) } else { column }
    };
    let choose = {
        let (dispatch, num_shared) = (input.dispatch.clone(), drops.num_shared_tokens);
        Callback::from(move |event: MouseEvent| {
            let token = token_at(&event);
            if token < num_shared {
                dispatch.emit(Action::Select { token, layer: None, expert: None });
            }
        })
    };
    let say = {
        let drops = input.comparisons.drops.clone();
        Callback::from(move |event: MouseEvent| {
            if let Some(drops) = &drops {
                say_on_hover(&event, &said(drops, token_at(&event)));
            }
        })
    };
    let of_tokens = |number: usize| number as f64 / num_tokens.max(1) as f64;
    let selected = Some(input.selection.token).filter(|&token| token < drops.num_shared_tokens);
    html! {
        <div class="loss-chart drops-chart" dir={if is_right_to_left { "rtl" } else { "ltr" }} onclick={choose} onmousemove={say}>
            <svg viewBox={format!("0 0 {width} {height}")} preserveAspectRatio="none" role="img" aria-label={finding::finding(drops)}>
                <path class="bars" d={bars} />
                <path class="drops-zero" d={format!("M0 {zero:.2}h{width}")} />
                <path class="drops-lost" d={marks} />
            </svg>
            if let Some(token) = selected {
                { at_share(of_tokens(token), across("loss-selected", of_tokens(1))) }
            }
        </div>
    }
}

/// A token's loss in both runs.
fn said(drops: &Drops, token: usize) -> String {
    let cost = drops.tokens[token];
    let name = quoted(drops.with.token_text(token));
    let lost = match cost.num_lost {
        0 => say!("never turned away").into_owned(),
        number => many!(number, "turned away {n} time", "turned away {n} times"),
    };
    let (with, without) = (drops.with.tokens[token].loss, drops.without.tokens[token].loss);
    match with.zip(without).zip(cost.nats) {
        Some(((with, without), nats)) => say!(
            "Token {token} {name}, {lost}; {with} nats instead of {without}: {cost}",
            token,
            name,
            lost,
            with = format_args!("{with:.3}"),
            without = format_args!("{without:.3}"),
            cost = numbers::difference(nats),
        ),
        None => say!("Token {token} {name}, {lost}", token, name, lost),
    }
}

fn stats(drops: &Drops) -> Html {
    let row = |name: Cow<'static, str>, key: &'static str, cost: Cost| {
        let per_token = cost.per_token().map_or_else(|| "–".to_owned(), numbers::difference);
        html! {
            <li><span><i class={key} aria-hidden="true" />{ name }</span>
                <b>{ numbers::difference(cost.nats) }</b><b>{ per_token }</b><b>{ cost.num_tokens }</b></li>
        }
    };
    let all = Cost { nats: drops.total(), num_tokens: drops.turned_away.num_tokens + drops.others.num_tokens };
    html! {
        <ul class="stats drops-stats">
            <li class="stats-head"><span>{ say!("cost") }</span><span>{ say!("nats") }</span><span>{ say!("per token") }</span><span>{ say!("tokens") }</span></li>
            { row(say!("turned away"), "key-bar drops-key", drops.turned_away) }
            { row(say!("all others"), "", drops.others) }
            <li class="is-change"><span>{ say!("passage") }</span>
                <b>{ numbers::difference(all.nats) }</b>
                <b>{ all.per_token().map_or_else(|| "–".to_owned(), numbers::difference) }</b>
                <b>{ all.num_tokens }</b></li>
        </ul>
    }
}

/// Which tokens paid most, and what cannot be said.
fn costliest(drops: &Drops) -> String {
    let tokens = drops.costliest(3).into_iter().map(|(token, nats)| {
        let (text, cost) = (quoted(drops.with.token_text(token)), numbers::difference(nats));
        say!("{text} (#{token}, {cost})", text, token, cost)
    });
    let tokens = names::listed(tokens);
    let unknown = say!(
        "A token pays for what it lost and for what tokens before it lost; the engine cannot take back one loss alone, so the cost of a single one is not known."
    );
    match tokens.is_empty() {
        true => unknown.into_owned(),
        false => format!("{} {unknown}", say!("Paid most: {tokens}.", tokens)),
    }
}

fn as_table(drops: &Drops) -> Html {
    let number = |loss: Option<f32>| loss.map_or("–".to_owned(), |loss| format!("{loss:.4}"));
    let rows = drops.tokens.iter().enumerate().map(|(token, cost)| {
        vec![
            token.to_string().into(),
            Cell::Text(inline(drops.with.token_text(token))),
            cost.num_lost.to_string().into(),
            number(drops.with.tokens[token].loss).into(),
            number(drops.without.tokens[token].loss).into(),
            cost.nats.map_or("–".to_owned(), |nats| format!("{nats:+.4}").replace('-', "−")).into(),
        ]
    });
    let head =
        [say!("token"), say!("requests turned away"), say!("as routed"), say!("every request served"), say!("cost")];
    let head: Vec<&str> = std::iter::once("#").chain(head.iter().map(|name| &**name)).collect();
    table(&say!("Loss of each token in nats, with and without what was turned away"), &head, rows)
}
