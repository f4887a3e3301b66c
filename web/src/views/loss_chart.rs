//! What the passage costs, token by token, and what the last change did to it.

use std::fmt::Write;

use yew::prelude::*;

use crate::compare::{self, Change};
use crate::scene::Scene;
use crate::shared::Shared;
use crate::state::{Action, Selection};
use crate::text::visible;
use crate::views::panel::Panel;
use crate::views::table::table;
use crate::wording;

#[derive(Properties, PartialEq)]
pub struct LossChartProps {
    pub scene: Shared<Scene>,
    pub change: Option<Shared<Change>>,
    pub selection: Selection,
    pub dispatch: Callback<Action>,
}

const HEIGHT: f32 = 64.0;
const STEP: usize = 10;

#[component]
pub fn LossChart(props: &LossChartProps) -> Html {
    let scene = &props.scene;
    let loss = compare::passage_loss(&scene.tokens);
    let change = props.change.as_deref();
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
    let choose = {
        let (dispatch, num_tokens) = (props.dispatch.clone(), scene.tokens.len());
        Callback::from(move |event: MouseEvent| {
            let chart: web_sys::Element = event.target_unchecked_into();
            let share = f64::from(event.offset_x()) / f64::from(chart.client_width().max(1));
            let token = ((share * num_tokens as f64).max(0.0) as usize).min(num_tokens.saturating_sub(1));
            dispatch.emit(Action::Select { token, layer: None, expert: None });
        })
    };
    let as_table = {
        let (scene, change) = (scene.clone(), props.change.clone());
        Callback::from(move |()| loss_table(&scene, change.as_deref()))
    };
    let title = wording::loss_title(loss, change);
    let selected = format!(
        "left:{:.3}%;width:{:.3}%",
        100.0 * props.selection.token as f64 / scene.tokens.len().max(1) as f64,
        100.0 / scene.tokens.len().max(1) as f64,
    );
    html! {
        <Panel area="loss" topic="Passage loss" title={title.clone()} source={scene.source()} table={as_table}>
            <div class="loss">
                <div class="loss-chart" onclick={choose}>
                    <svg viewBox={format!("0 0 {width} {HEIGHT}")} preserveAspectRatio="none" role="img" aria-label={title}>
                        <path class="bars" d={bars} />
                        <path class="ticks" d={ticks} />
                    </svg>
                    <span class="loss-selected" style={selected} aria-hidden="true" />
                </div>
                { numbers(loss, change) }
            </div>
        </Panel>
    }
}

fn numbers(loss: Option<compare::PassageLoss>, change: Option<&Change>) -> Html {
    let Some(loss) = loss else { return Html::default() };
    html! {
        <ul class="stats">
            <li class="stats-head"><span /><span>{ "nats/token" }</span><span>{ "bits/byte" }</span></li>
            <li><span>{ format!("now, {}", wording::count(loss.num_tokens, "token", "tokens")) }</span>
                <b>{ format!("{:.3}", loss.nats) }</b><b>{ format!("{:.3}", loss.bits_per_byte) }</b></li>
            if let Some(change) = change {
                <li><span>{ format!("before, {}", wording::count(change.before.num_tokens, "token", "tokens")) }</span>
                    <b>{ format!("{:.3}", change.before.nats) }</b><b>{ format!("{:.3}", change.before.bits_per_byte) }</b></li>
                <li class="is-change"><span>{ "re-run: change" }</span>
                    <b>{ format!("{:+.3}", change.after.nats - change.before.nats) }</b>
                    <b>{ format!("{:+.3}", change.after.bits_per_byte - change.before.bits_per_byte) }</b></li>
            }
        </ul>
    }
}

fn loss_table(scene: &Scene, change: Option<&Change>) -> Html {
    let number = |loss: Option<f32>| loss.map_or("–".to_owned(), |loss| format!("{loss:.4}"));
    let rows = scene.tokens.iter().enumerate().map(|(token, shown)| {
        let before = change.and_then(|change| *change.losses_before.get(token)?);
        vec![token.to_string(), visible(scene.token_text(token)), number(shown.loss), number(before)]
    });
    table("Loss of each token in nats", &["#", "token", "now", "before"], rows)
}
