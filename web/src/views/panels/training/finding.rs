//! Finding of the training lab: where the two stand, in one sentence with numbers.

use crate::run::training::Training;
use crate::state::lab::Lab;
use crate::words::numbers::percent;

pub fn finding(lab: &Lab) -> String {
    let Some([first, second]) = &lab.trainings else {
        return say!("Two small models, trained here, that differ in one thing").into_owned();
    };
    let sides = lab.sides();
    let (Some(share), Some(other)) = (first.largest_share(), second.largest_share()) else {
        return say!("The first steps are on their way").into_owned();
    };
    let num_steps = Training::num_steps;
    let loss = |training: &Training| training.latest().last().map_or(0.0, |step| step.next_token);
    say!(
        "After {steps} the busiest expert gets {share} with {first}, {other} with {second}; losses {loss} and {other_loss} \
         nats per byte",
        steps = many!(num_steps(first).min(num_steps(second)), "{n} step", "{n} steps"),
        share = percent(share as f32),
        first = sides[0],
        other = percent(other as f32),
        second = sides[1],
        loss = format_args!("{:.2}", loss(first)),
        other_loss = format_args!("{:.2}", loss(second)),
    )
}
