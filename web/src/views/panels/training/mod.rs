//! The training lab: two small models learn side by side, and one sees their routing form.

mod adapter_losses;
mod adapter_routes;
mod adapters;
mod axes;
mod curves;
mod experts;
mod files;
mod finding;
mod knobs;
mod measured;
mod setup;
mod snapshots;
mod streams;

use std::borrow::Cow;

use yew::prelude::*;

use crate::run::training::Training;
use crate::settings::view::PanelName;
use crate::state::Action;
use crate::state::lab::{Lab, Wish};
use crate::views::panel::{Depth, Panel, PanelInput, Sees, Tab};
use crate::views::parts::table::table;
use crate::words::tongue;

pub static PANEL: Panel = Panel {
    name: PanelName::Training,
    kind: marked!("Training lab"),
    area: "row",
    tab: Tab::Own(marked!("Training")),
    depth: Depth::Lab,
    sees: Sees::Lab,
    lacks: |_| None,
    topic: |input| say!("Training lab · {experiment}", experiment = title(&input.lab)),
    finding: |input| finding::finding(&input.lab),
    badges: |_| Html::default(),
    picture,
    table: Some(as_table),
};

fn title(lab: &Lab) -> Cow<'static, str> {
    if lab.is_opened() { say!("trainings from files") } else { tongue::translated(lab.experiment.name.preset().title) }
}

fn picture(input: &PanelInput) -> Html {
    let (lab, dispatch) = (&*input.lab, &input.dispatch);
    let sides = lab.sides();
    html! {
        <div class="lab">
            { setup::setup(lab, dispatch) }
            if let Some(error) = &lab.problem {
                <p class="lab-problem" role="alert">{ say!("{what} {why} {try_this}", what = error.what, why = error.why, try_this = error.try_this) }</p>
            }
            if let Some(trainings) = &lab.trainings {
                { curves::curves(lab, trainings) }
                <div class="lab-sides">
                    { for (0..2).map(|side| html! {
                        <section class="lab-side">
                            <h4>{ side_mark(side) }{ &sides[side] }</h4>
                            { setup::coefficient(lab, side, dispatch) }
                            { streams::streams(&trainings[side]) }
                            { facts(&trainings[side]) }
                            { experts::buttons(lab, &trainings[side], side, dispatch) }
                            { files::save(&trainings[side], side, dispatch) }
                        </section>
                    }) }
                </div>
                { snapshots::snapshots(lab, trainings, dispatch) }
            }
            { adapters::adapters(lab, dispatch) }
        </div>
    }
}

/// How the first and the second are told apart in the chart of losses.
fn side_mark(side: usize) -> Html {
    let class = if side == 0 { "side-mark is-first" } else { "side-mark is-second" };
    html! { <svg {class} width="22" height="8" aria-hidden="true"><line x1="1" y1="4" x2="21" y2="4" /></svg> }
}

/// What the latest steps were like, by name.
fn facts_of(training: &Training) -> Vec<(Cow<'static, str>, String)> {
    let number = |value: Option<f64>, digits: usize| value.map(|value| format!("{value:.digits$}"));
    let percent = |share: Option<f64>| share.map(|share| crate::words::numbers::percent(share as f32));
    let newest = training.snapshots.last();
    let facts = [
        (say!("loss, nats per byte"), number(training.latest().last().map(|step| f64::from(step.next_token)), 3)),
        (say!("held-out, bits per byte"), number(newest.map(|newest| f64::from(newest.held_out_bits_per_byte)), 3)),
        (say!("busiest expert's share"), percent(training.largest_share())),
        (say!("unevenness (CV)"), number(training.variation(), 2)),
        (say!("turned away"), percent(training.lost_share())),
        (say!("gate entropy, nats"), number(training.gate_entropy(), 3)),
        (say!("steps a second"), number(training.steps_per_second(), 1)),
    ];
    facts.into_iter().map(|(name, value)| (name, value.unwrap_or("–".to_owned()))).collect()
}

fn facts(training: &Training) -> Html {
    let fact = |(name, value): (Cow<'static, str>, String)| html! { <li><span>{ name }</span><b>{ value }</b></li> };
    let taught = training.taught().map(|(what, far)| (what, format!("{far:.3}")));
    html! { <ul class="stats lab-facts">{ for facts_of(training).into_iter().chain(taught).map(fact) }</ul> }
}

fn as_table(input: &PanelInput) -> Html {
    let adapters = input.lab.adapters.current.as_ref().map(|current| adapters::as_table(current));
    let Some(trainings) = &input.lab.trainings else {
        return adapters.unwrap_or_else(|| {
            table(&tongue::translated(PANEL.kind), &[&say!("Nothing is trained yet")], Vec::<Vec<String>>::new())
        });
    };
    let [first, second] = input.lab.sides();
    let (first, second) = (&first[..], &second[..]);
    let both = facts_of(&trainings[0]).into_iter().zip(facts_of(&trainings[1]));
    let rows = both.map(|((name, first), (_, second))| vec![name.into_owned(), first, second]);
    let caption = say!("The latest ten steps, and the newest snapshot");
    let steps = trainings[0].snapshots.iter().zip(&trainings[1].snapshots).map(|(first, second)| {
        let bits = |snapshot: &moe_trace::training::TrainSnapshot| format!("{:.3}", snapshot.held_out_bits_per_byte);
        vec![first.num_steps.to_string(), bits(first), bits(second)]
    });
    html! {
        <>
            { table(&caption, &["", first, second], rows) }
            { table(&say!("Held-out text, bits per byte"), &[&say!("after steps"), first, second], steps) }
            { for adapters }
        </>
    }
}

/// What a control asks for.
fn asks(dispatch: &Callback<Action>, wish: Wish) -> Callback<MouseEvent> {
    let dispatch = dispatch.clone();
    Callback::from(move |_| dispatch.emit(Action::Lab(wish.clone())))
}

/// Is there anything to see yet?
fn has_steps(lab: &Lab) -> bool {
    lab.trainings.iter().flatten().any(|training| !training.steps.is_empty())
}
