//! Finding of the training lab: where the two stand, in one sentence with numbers.

use crate::run::training::Training;
use crate::state::lab::Lab;
use crate::words::numbers::{count, percent};

pub fn finding(lab: &Lab) -> String {
    let Some([first, second]) = &lab.trainings else {
        return "Two small models, trained here, that differ in one thing".to_owned();
    };
    let sides = lab.sides();
    let (Some(share), Some(other)) = (first.largest_share(), second.largest_share()) else {
        return "The first steps are on their way".to_owned();
    };
    let num_steps = Training::num_steps;
    let loss = |training: &Training| training.latest().last().map_or(0.0, |step| step.next_token);
    format!(
        "After {} the busiest expert gets {} with {}, {} with {}; losses {:.2} and {:.2} nats per byte",
        count(num_steps(first).min(num_steps(second)), "step", "steps"),
        percent(share as f32),
        sides[0],
        percent(other as f32),
        sides[1],
        loss(first),
        loss(second),
    )
}
