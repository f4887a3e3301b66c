//! What came out of an experiment where it was measured over many seeds.

use std::borrow::Cow;

use moe_trace::experiment::{Interval, Measured, Preset};
use yew::prelude::*;

use crate::words::tongue;

/// What is measured, as the file of the measurements names it.
static NAMES: [&str; 6] = [
    marked!("held-out loss, nats per byte"),
    marked!("busiest expert's share"),
    marked!("unevenness (CV)"),
    marked!("turned away"),
    marked!("gate entropy, nats"),
    marked!("spread of the experts"),
];

/// Numbers that differ by more than chance, by both sides; nothing where nothing was measured.
pub fn sentence(preset: &Preset) -> Html {
    let rows = preset.measured();
    let Some(Measured { num_seeds, num_steps, .. }) = rows.first() else { return Html::default() };
    let said: Vec<String> = rows.iter().filter(|row| is_ever(row)).map(clause).collect();
    let text = say!(
        "Measured with {seeds} seeds, after {steps} steps of the grammars (mean, 95 % interval): {numbers}.",
        seeds = num_seeds,
        steps = num_steps,
        numbers = said.join(&say!("; "))
    );
    html! { <p class="lab-measured">{ text }</p> }
}

/// Is it anything but 0? Where slots are for all, nobody is turned away.
fn is_ever(row: &Measured) -> bool {
    row.estimates.iter().any(|of| of.low != 0.0 || of.high != 0.0)
}

fn clause(row: &Measured) -> String {
    let of = |Interval { mean, low, high }: Interval| {
        let [mean, low, high] = [mean, low, high].map(|number| format!("{number:.2}"));
        say!("{mean} ({low} to {high})", mean, low, high)
    };
    let [first, second, difference] = row.estimates;
    let (what, first, second) = (name(row), of(first), of(second));
    match difference.low <= 0.0 && difference.high >= 0.0 {
        true => say!("{what} {first} and {second}, no difference that seeds would not make", what, first, second),
        false => say!("{what} {first} and {second}", what, first, second),
    }
}

fn name(row: &Measured) -> Cow<'_, str> {
    let known = NAMES.iter().find(|name| **name == row.what);
    known.map_or(Cow::Borrowed(row.what.as_str()), |name| tongue::translated(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_from_chance() {
        let interval = |mean: f64| Interval { mean, low: mean - 0.25, high: mean + 0.25 };
        let row = |second: f64| Measured {
            preset: "collapse".to_owned(),
            what: "busiest expert's share".to_owned(),
            num_seeds: 20,
            num_steps: 300,
            estimates: [interval(1.0), interval(second), interval(second - 1.0)],
        };
        assert_eq!(clause(&row(2.0)), "busiest expert's share 1.00 (0.75 to 1.25) and 2.00 (1.75 to 2.25)");
        assert!(clause(&row(1.125)).ends_with("no difference that seeds would not make"));
        let nothing = Interval { mean: 0.0, low: 0.0, high: 0.0 };
        assert!(is_ever(&row(1.0)) && !is_ever(&Measured { estimates: [nothing; 3], ..row(1.0) }));
    }
}
