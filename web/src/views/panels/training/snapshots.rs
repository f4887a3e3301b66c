//! Kept states: a slider over them, the probe's routes, whom each kind of text asks, what the models write.

use moe_trace::Decision;
use moe_trace::training::TrainSnapshot;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::{asks, experts};
use crate::run::shared::Shared;
use crate::run::text::visible;
use crate::run::training::{Training, told_apart};
use crate::state::Action;
use crate::state::lab::{Lab, Wish};
use crate::words::numbers::percent;
use crate::words::tongue;

pub fn snapshots(lab: &Lab, trainings: &[Shared<Training>; 2], dispatch: &Callback<Action>) -> Html {
    let num_snapshots = lab.num_snapshots();
    if num_snapshots == 0 {
        return Html::default();
    }
    let at = lab.looks_at.unwrap_or(num_snapshots - 1);
    let num_steps = trainings[0].snapshot(Some(at)).map_or(0, |snapshot| snapshot.num_steps);
    let on_input = {
        let dispatch = dispatch.clone();
        Callback::from(move |event: InputEvent| {
            let field: HtmlInputElement = event.target_unchecked_into();
            dispatch.emit(Action::Lab(Wish::Look(Some(field.value_as_number() as usize))));
        })
    };
    let words = many!(num_steps, "after {n} step", "after {n} steps");
    let sides = lab.sides();
    html! {
        <div class="lab-snapshots">
            <div class="controls">
                <label class="control lab-slider">
                    <span class="control-name">{ say!("Snapshot") }{ " " }<b aria-hidden="true">{ &words }</b></span>
                    <input type="range" min="0" max={(num_snapshots - 1).to_string()} step="1" value={at.to_string()}
                        aria-valuetext={words.clone()} disabled={num_snapshots == 1} oninput={on_input} />
                </label>
                <button type="button" class="lab-button" disabled={lab.is_running() || !lab.can_rewind()}
                    onclick={asks(dispatch, Wish::Rewind)} title={say!("Both go back to this state, exactly")}>{ say!("Go back to it") }</button>
                <button type="button" class="lab-button" disabled={lab.is_running() || !lab.can_rewind()}
                    onclick={asks(dispatch, Wish::Fork)}
                    title={say!("The second becomes a copy of the first at this state; then change one of them")}>
                    { say!("Copy first over second") }</button>
            </div>
            <div class="lab-sides">
                { for (0..2).map(|side| html! {
                    <section class="lab-side" aria-label={sides[side].clone()}>
                        { for trainings[side].snapshot(Some(at)).map(|snapshot| state(snapshot)) }
                    </section>
                }) }
            </div>
        </div>
    }
}

fn state(snapshot: &TrainSnapshot) -> Html {
    html! {
        <>
            { probe(snapshot) }
            { kinds(snapshot) }
            { experts::spread(&snapshot.spread) }
            <p class="lab-sample" title={say!("What this state writes behind the probe, at temperature 0.7")}>
                <span>{ say!("writes") }{ " " }</span><code dir="auto">{ visible(&snapshot.sample) }</code></p>
        </>
    }
}

/// The probe's letters, and below each the expert that it asked first, layer by layer.
fn probe(snapshot: &TrainSnapshot) -> Html {
    let letters = snapshot.probe_tokens.iter().map(|bytes| {
        html! { <td dir="auto" translate="no">{ visible(&String::from_utf8_lossy(bytes)) }</td> }
    });
    let rows = snapshot.probe_layers.iter().map(|layer| {
        let first = |token: u32| match &layer.decision {
            Some(Decision::Routing(routing)) => routing.of_token(token).first().map(|a| a.expert.index()),
            _ => None,
        };
        let cells = (0..snapshot.probe_tokens.len() as u32).map(|token| match first(token) {
            Some(expert) => html! { <td class={format!("fill-{}", expert % 8)}>{ expert }</td> },
            None => html! { <td>{ "–" }</td> },
        });
        html! { <tr><th scope="row">{ say!("layer {layer}", layer = layer.layer.0) }</th>{ for cells }</tr> }
    });
    html! {
        <div class="lab-probe" tabindex="0" role="region" aria-label={say!("Routes of the probe")}>
            <table>
                <caption>{ say!("the expert that each letter of the probe asks first") }</caption>
                <tbody><tr><th scope="row">{ say!("probe") }</th>{ for letters }</tr>{ for rows }</tbody>
            </table>
        </div>
    }
}

/// The lab's name of a kind of text, for a reader.
fn kind_name(name: &str) -> String {
    match name.split_once(' ') {
        Some(("grammar", number)) => say!("grammar {number}", number),
        Some(("modulo", modulus)) => say!("modulo {modulus}", modulus),
        Some(("your", "text")) => say!("your text").into_owned(),
        _ => tongue::translated(name).into_owned(),
    }
}

/// How far experts tell the kinds of text apart.
fn kinds(snapshot: &TrainSnapshot) -> Html {
    let num_layers = snapshot.kinds.first().map_or(0, |kind| kind.demand.len());
    let of_layer = |layer: usize| {
        let demand: Vec<&[u32]> = snapshot.kinds.iter().map(|kind| &kind.demand[layer][..]).collect();
        let told_apart = told_apart(&demand)?;
        Some(
            html! { <li><span>{ say!("layer {layer} tells kinds apart", layer) }</span><b>{ percent(told_apart as f32) }</b></li> },
        )
    };
    let layers: Vec<Html> = (0..num_layers).filter_map(of_layer).collect();
    if layers.is_empty() {
        return Html::default();
    }
    let losses = snapshot.kinds.iter().map(|kind| {
        html! { <li><span>{ kind_name(&kind.name) }</span><b>{ format!("{:.3}", kind.held_out) }</b></li> }
    });
    html! {
        <ul class="stats lab-kinds" title={say!("Mutual information of kind of text and expert, over that of kinds told apart entirely; below, held-out nats per byte of each kind")}>
            { for layers }
            { for losses }
        </ul>
    }
}
