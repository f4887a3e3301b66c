//! What came out of an experiment where it was measured over many seeds.

use moe_trace::experiment::{Interval, Measured, Preset};
use yew::prelude::*;

/// Numbers that differ by more than chance, by both sides; nothing where nothing was measured.
pub fn sentence(preset: &Preset) -> Html {
    let rows = preset.measured();
    let Some(Measured { num_seeds, num_steps, .. }) = rows.first() else { return Html::default() };
    let head =
        format!("Measured with {num_seeds} seeds, after {num_steps} steps of the grammars (mean, 95 % interval): ");
    let said = rows.iter().filter(|row| is_ever(row)).map(clause);
    let text = format!("{head}{}.", said.collect::<Vec<_>>().join("; "));
    html! { <p class="lab-measured">{ text }</p> }
}

/// Is it anything but 0? Where slots are for all, nobody is turned away.
fn is_ever(row: &Measured) -> bool {
    row.estimates.iter().any(|of| of.low != 0.0 || of.high != 0.0)
}

fn clause(row: &Measured) -> String {
    let of = |Interval { mean, low, high }: Interval| format!("{mean:.2} ({low:.2} to {high:.2})");
    let [first, second, difference] = row.estimates;
    let verdict =
        if difference.low <= 0.0 && difference.high >= 0.0 { ", no difference that seeds would not make" } else { "" };
    format!("{} {} and {}{verdict}", row.what, of(first), of(second))
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
