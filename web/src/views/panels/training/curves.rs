//! Losses over steps: both trainings, held-out text, and the loss of knowing frequencies only.

use yew::prelude::*;

use super::axes::Axes;
use crate::run::shared::Shared;
use crate::run::training::Training;
use crate::state::lab::Lab;

/// Stretches that a curve has at most.
const COLUMNS: usize = 160;

pub fn curves(lab: &Lab, trainings: &[Shared<Training>; 2]) -> Html {
    let num_steps = trainings.iter().map(|training| training.num_steps()).max().unwrap_or(0);
    let floor = trainings[0].floor;
    let curves = [0, 1].map(|side| {
        let stretches = trainings[side].curve(COLUMNS);
        stretches.iter().map(|stretch| (stretch.step + 0.5, stretch.loss)).collect::<Vec<_>>()
    });
    let losses: Vec<f32> = curves.iter().flatten().map(|&(_, loss)| loss).collect();
    let axes = Axes::around(num_steps, floor, &losses);
    let held_out = |side: usize| {
        let snapshots = trainings[side].snapshots.iter();
        let points: Vec<_> = snapshots.map(|snapshot| (snapshot.num_steps as f32, snapshot.held_out)).collect();
        axes.dots(if side == 0 { "held-out is-first" } else { "held-out is-second" }, &points)
    };
    let caption = html! {
        <>
            { say!("Loss, nats per byte") }
            <span>{ say!("line: the batch") }</span><span>{ say!("dots: held-out text") }</span>
            <span>{ say!("dashes: {floor}, knowing only how frequent each byte is", floor = format_args!("{floor:.2}")) }</span>
        </>
    };
    let inside = html! {
        <>
            { axes.line("is-first", &curves[0]) }
            { axes.line("is-second", &curves[1]) }
            { held_out(0) }
            { held_out(1) }
        </>
    };
    axes.frame(caption, floor, super::finding::finding(lab), inside)
}
