//! Losses over steps: both trainings, held-out text, and the loss of knowing frequencies only.

use std::fmt::Write;

use yew::prelude::*;

use crate::run::shared::Shared;
use crate::run::training::Training;
use crate::state::lab::Lab;
use crate::words::numbers::count;

/// Stretches that a curve has at most.
const COLUMNS: usize = 160;
/// Of the drawing; the picture is as wide as its place.
const WIDTH: f32 = 640.0;
const HEIGHT: f32 = 150.0;

pub fn curves(lab: &Lab, trainings: &[Shared<Training>; 2]) -> Html {
    let num_steps = trainings.iter().map(|training| training.num_steps()).max().unwrap_or(0);
    let floor = trainings[0].floor;
    let curves = [0, 1].map(|side| trainings[side].curve(COLUMNS));
    let losses = curves.iter().flatten().map(|stretch| stretch.loss);
    let top = losses.clone().fold(floor, f32::max).max(0.1) * 1.04;
    let low = losses.fold(floor, f32::min) * 0.96;
    let x = |step: f32| step / num_steps.max(1) as f32 * WIDTH;
    let y = |loss: f32| HEIGHT - (loss - low) / (top - low).max(1e-6) * HEIGHT;
    let line = |side: usize| {
        let mut path = String::new();
        for (at, stretch) in curves[side].iter().enumerate() {
            // Writing to a string cannot fail.
            let _ =
                write!(path, "{}{:.1} {:.1}", if at == 0 { 'M' } else { 'L' }, x(stretch.step + 0.5), y(stretch.loss));
        }
        path
    };
    let held_out = |side: usize| {
        let dots = trainings[side].snapshots.iter().map(|snapshot| {
            html! { <circle cx={format!("{:.1}", x(snapshot.num_steps as f32))} cy={format!("{:.1}", y(snapshot.held_out))} r="2.5" /> }
        });
        let class = if side == 0 { "held-out is-first" } else { "held-out is-second" };
        html! { <g {class}>{ for dots }</g> }
    };
    let level = format!("{:.1}", y(floor));
    html! {
        <figure class="lab-curves">
            <figcaption>
                { "Loss, nats per byte" }
                <span>{ "line: the batch" }</span><span>{ "dots: held-out text" }</span>
                <span>{ format!("dashes: {floor:.2}, knowing only how frequent each byte is") }</span>
            </figcaption>
            <div class="lab-axes">
                <span class="lab-top">{ format!("{top:.1}") }</span>
                <span class="lab-low">{ format!("{low:.1}") }</span>
                <svg viewBox={format!("0 0 {WIDTH} {HEIGHT}")} preserveAspectRatio="none" role="img"
                    aria-label={super::finding::finding(lab)}>
                    <line class="floor" x1="0" x2={WIDTH.to_string()} y1={level.clone()} y2={level} />
                    <path class="is-first" d={line(0)} />
                    <path class="is-second" d={line(1)} />
                    { held_out(0) }
                    { held_out(1) }
                </svg>
                <span class="lab-steps">{ count(num_steps, "step", "steps") }</span>
            </div>
        </figure>
    }
}
