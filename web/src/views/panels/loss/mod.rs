//! Loss of the passage, token by token, and what the last change did to it.

mod finding;

use std::borrow::Cow;
use std::fmt::Write;

use yew::prelude::*;

use crate::run::compare::{self, Change, PassageLoss};
use crate::run::text::{inline, quoted};
use crate::settings::view::PanelName;
use crate::state::Action;
use crate::views::panel::{Depth, Panel, PanelInput, Sees, Tab};
use crate::views::parts::hover::say_on_hover;
use crate::views::parts::sized::{across, at_share};
use crate::views::parts::table::{Cell, table};
use crate::views::parts::term::term;
use crate::words::{glossary, numbers, tongue};

pub static PANEL: Panel = Panel {
    name: PanelName::Loss,
    kind: marked!("Passage loss"),
    area: "loss",
    tab: Tab::Own(marked!("Loss")),
    depth: Depth::Inspect,
    sees: Sees::Run,
    lacks: |input| {
        let has_none = compare::passage_loss(&input.scene.tokens).is_none();
        has_none.then_some(marked!("No loss to show: the first token of a text has no prediction"))
    },
    topic: |_| tongue::translated(PANEL.kind).into_owned(),
    finding: title,
    badges: |input| match input.changed.is_empty() {
        true => Html::default(),
        false => html! {
            <span class="badge changed" title={say!("What was changed between the previous run and this one")}>{ &input.changed }</span>
        },
    },
    picture,
    table: Some(as_table),
};

const HEIGHT: f32 = 64.0;
const STEP: usize = 10;

fn title(input: &PanelInput) -> String {
    compare::passage_loss(&input.scene.tokens)
        .map_or_else(String::new, |loss| finding::finding(loss, input.change.as_deref(), input.flipped))
}

fn picture(input: &PanelInput) -> Html {
    let scene = &input.scene;
    let loss = compare::passage_loss(&scene.tokens);
    let change = input.change.as_deref();
    let before = |token: usize| change.and_then(|change| *change.losses_before.get(token)?);
    let highest = scene.tokens.iter().enumerate().flat_map(|(token, shown)| [shown.loss, before(token)]).flatten();
    let scale = HEIGHT / highest.fold(1.0_f32, f32::max);
    let (mut bars, mut ticks) = (String::new(), String::new());
    for (token, shown) in scene.tokens.iter().enumerate() {
        let x = token * STEP + 1;
        if let Some(loss) = shown.loss {
            let height = (loss * scale).max(0.5);
            // Writing to a string cannot fail.
            let _ = write!(bars, "M{x} {HEIGHT}v-{height:.1}h8v{height:.1}z");
        }
        if let Some(loss) = before(token) {
            let _ = write!(ticks, "M{x} {:.1}h8", HEIGHT - loss * scale);
        }
    }
    let width = (scene.tokens.len() * STEP).max(STEP);
    // The token under the mouse or finger. The tokens run as the text does.
    let token_at = {
        let (num_tokens, is_right_to_left) = (scene.tokens.len(), scene.is_right_to_left);
        move |event: &MouseEvent| {
            let chart: web_sys::Element = event.target_unchecked_into();
            let share = f64::from(event.offset_x()) / f64::from(chart.client_width().max(1));
            let column = ((share * num_tokens as f64).max(0.0) as usize).min(num_tokens.saturating_sub(1));
            if is_right_to_left { num_tokens.saturating_sub(column + 1) } else { column }
        }
    };
    let dir = if scene.is_right_to_left { "rtl" } else { "ltr" };
    let choose = {
        let dispatch = input.dispatch.clone();
        Callback::from(move |event: MouseEvent| {
            dispatch.emit(Action::Select { token: token_at(&event), layer: None, expert: None });
        })
    };
    let say = {
        let (scene, change) = (scene.clone(), input.change.clone());
        Callback::from(move |event: MouseEvent| {
            let token = token_at(&event);
            let nats = |loss: f32| say!("{nats} nats", nats = format_args!("{loss:.3}"));
            let text = quoted(scene.token_text(token));
            let loss = scene.tokens[token].loss.map_or(say!("no loss"), |loss| nats(loss).into());
            let words = match change.as_ref().and_then(|change| *change.losses_before.get(token)?) {
                None => say!("Token {token} {text}: {loss}", token, text, loss),
                Some(before) => say!(
                    "Token {token} {text}: {loss}; dash: {before} in the other run",
                    token,
                    text,
                    loss,
                    before = nats(before)
                ),
            };
            say_on_hover(&event, &words);
        })
    };
    let of_tokens = |number: usize| number as f64 / scene.tokens.len().max(1) as f64;
    let selected = at_share(of_tokens(input.selection.token), across("loss-selected", of_tokens(1)));
    html! {
        <div class="with-stats">
            <div class="loss-chart" {dir} onclick={choose} onmousemove={say}>
                <svg viewBox={format!("0 0 {width} {HEIGHT}")} preserveAspectRatio="none" role="img" aria-label={title(input)}>
                    <path class="bars" d={bars} />
                    <path class="ticks" d={ticks} />
                </svg>
                { selected }
            </div>
            { numbers(loss, change, input.flipped) }
        </div>
    }
}

fn numbers(loss: Option<PassageLoss>, change: Option<&Change>, flipped: bool) -> Html {
    let Some(loss) = loss else { return Html::default() };
    let row = |name: Cow<'static, str>, key: &'static str, loss: PassageLoss| {
        html! { <li><span><i class={key} aria-hidden="true" />{ name }</span><b>{ format!("{:.3}", loss.nats) }</b><b>{ format!("{:.3}", loss.bits_per_byte) }</b></li> }
    };
    // The difference is always this run minus the previous one, whichever of the two is on the screen.
    let pair = change.map(|change| if flipped { (change.after, change.before) } else { (change.before, change.after) });
    let is_other_model = change.is_some_and(|change| change.other_model.is_some());
    let name = if is_other_model { say!("two models") } else { say!("difference") };
    let compared = change.map_or(loss, |change| change.after);
    let compared = many!(compared.num_tokens, "{n} token", "{n} tokens");
    html! {
        <ul class="stats">
            <li class="stats-head"><span>{ compared }</span>{ term(&glossary::NATS, "", html! { { say!("nats/token") } }) }<span>{ say!("bits/byte") }</span></li>
            if let Some((before, now)) = pair {
                // Bars are of the run on the screen, dashes of the other one.
                { row(say!("this run"), if flipped { "key-dash" } else { "key-bar" }, now) }
                { row(say!("previous run"), if flipped { "key-bar" } else { "key-dash" }, before) }
                <li class="is-change"><span>{ name }</span>
                    <b>{ numbers::difference(now.nats - before.nats) }</b>
                    <b>{ numbers::difference(now.bits_per_byte - before.bits_per_byte) }</b></li>
            } else {
                { row(say!("average"), "", loss) }
            }
        </ul>
    }
}

fn as_table(input: &PanelInput) -> Html {
    let (scene, change) = (&input.scene, input.change.as_deref());
    let number = |loss: Option<f32>| loss.map_or("–".to_owned(), |loss| format!("{loss:.4}"));
    let rows = scene.tokens.iter().enumerate().map(|(token, shown)| {
        let before = change.and_then(|change| *change.losses_before.get(token)?);
        let text = Cell::Text(inline(scene.token_text(token)));
        vec![token.to_string().into(), text, number(shown.loss).into(), number(before).into()]
    });
    // First the run on the screen, then the other one.
    let (this, previous) = (say!("this run"), say!("previous run"));
    let (here, there) = if input.flipped { (previous, this) } else { (this, previous) };
    table(&say!("Loss of each token in nats"), &["#", &say!("token"), &here, &there], rows)
}
