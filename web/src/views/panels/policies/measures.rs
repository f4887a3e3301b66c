//! Each policy in numbers, and how they depend on the capacity factor.

use yew::prelude::*;

use super::spark::{Scale, spark};
use crate::run::policies::{LabPolicy, Measures, Point, PolicyLab, Row};
use crate::views::parts::glyph::{Mark, glyph};
use crate::words::{numbers, tongue};

/// What a curve shows.
pub struct Curve {
    pub name: &'static str,
    pub of: fn(&Measures) -> Option<f64>,
    pub written: fn(f64) -> String,
}

pub const LOSS: Curve =
    Curve { name: marked!("loss"), of: |measures| Some(measures.loss?.nats), written: |nats| format!("{nats:.3}") };
pub const LOST: Curve = Curve {
    name: marked!("share of requests turned away"),
    of: |measures| measures.lost_share(),
    written: |share| numbers::percent(share as f32),
};

pub fn measures(lab: &PolicyLab) -> Html {
    let scales = [LOSS, LOST].map(|curve| Scale::of(lab, &curve));
    let ranges = scales.each_ref().map(|scale| scale.as_ref().map_or_else(String::new, Scale::words));
    let dropless = lab.outcomes().find(|(policy, _)| *policy == LabPolicy::Dropless);
    let dropless = dropless.and_then(|(_, outcome)| Some(outcome.measures.loss?.nats));
    let row = |row: &Row| {
        let measures = row.outcome.as_ref().map(|outcome| outcome.measures);
        let number =
            |of: &dyn Fn(&Measures) -> Option<String>| measures.as_ref().and_then(of).unwrap_or_else(|| "–".to_owned());
        let more = |measures: &Measures| Some(numbers::difference(measures.loss?.nats - dropless?));
        html! {
            <tr key={row.policy.name().to_string()} class={row.is_of_run.then_some("is-of-run")}>
                <th scope="row">{ row.policy.name() }</th>
                <td>{ number(&|it| (LOSS.of)(it).map(LOSS.written)) }</td>
                <td>{ number(&more) }</td>
                <td>{ number(&|it| Some(it.totals.lost.to_string())) }</td>
                <td>{ number(&|it| Some(it.totals.dropped_tokens.to_string())) }</td>
                <td>{ number(&|it| Some(format!("{:.2}", it.imbalance))) }</td>
                <td>{ different(row) }</td>
                <td>{ curve(lab, row, &LOSS, scales[0].as_ref()) }</td>
                <td>{ curve(lab, row, &LOST, scales[1].as_ref()) }</td>
            </tr>
        }
    };
    html! {
        <div class="lab-measures" tabindex="0" role="group" aria-label={say!("Policies in numbers")}>
            <table>
                <thead>
                    <tr>
                        <th scope="col">{ say!("at factor {factor}", factor = format_args!("{:.2}", lab.factor)) }</th>
                        <th scope="col" title={say!("Mean loss of the passage in nats per token")}>{ say!("nats/token") }</th>
                        <th scope="col" title={say!("Nats per token more than with every request served")}>{ say!("over dropless") }</th>
                        <th scope="col" title={say!("Requests turned away, in all layers")}>{ glyph(Mark::Lost) }{ " " }{ say!("away") }</th>
                        <th scope="col" title={say!("Tokens turned away by all their experts, counted per layer")}>{ glyph(Mark::Dropped) }{ " " }{ say!("dropped") }</th>
                        <th scope="col" title={say!("Requests of the busiest expert over the mean, averaged over the layers")}>{ say!("max/mean") }</th>
                        <th scope="col" title={say!("Tokens with another outcome than under the run's own policy, in any layer")}>{ say!("differ") }</th>
                        <th scope="col">{ say!("loss by factor") }<small>{ &ranges[0] }</small></th>
                        <th scope="col">{ say!("turned away by factor") }<small>{ &ranges[1] }</small></th>
                    </tr>
                </thead>
                <tbody>{ for lab.rows.iter().map(row) }</tbody>
            </table>
        </div>
    }
}

/// Tokens with another outcome than under the reference.
fn different(row: &Row) -> String {
    let number = row.outcome.as_ref().and_then(|outcome| outcome.num_different);
    number.map_or_else(|| "–".to_owned(), |number| number.to_string())
}

fn curve(lab: &PolicyLab, row: &Row, curve: &Curve, scale: Option<&Scale>) -> Html {
    let Some(scale) = scale.filter(|_| !row.curve.is_empty()) else { return "–".into() };
    let said = |point: &Point| {
        let value = (curve.written)((curve.of)(&point.measures)?);
        Some(say!("{value} at {factor}", value, factor = format_args!("{:.2}", point.factor)))
    };
    let said: Vec<String> = row.curve.iter().filter_map(said).collect();
    let label = say!(
        "{policy}, {curve}: {points}",
        policy = row.policy.name(),
        curve = tongue::translated(curve.name),
        points = said.join(&say!(", "))
    );
    spark(lab, row, curve, scale, &label)
}
