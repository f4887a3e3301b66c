//! One policy's curve over the capacity factor, with those of the others behind it, all on one scale.

use std::fmt::Write;

use yew::prelude::*;

use super::measures::Curve;
use crate::run::policies::{PolicyLab, Row};

const WIDTH: f64 = 132.0;
const HEIGHT: f64 = 30.0;
const MARGIN: f64 = 3.0;

/// The least and the most of all curves, along both axes.
pub struct Scale {
    factors: (f64, f64),
    values: (f64, f64),
    written: fn(f64) -> String,
}

impl Scale {
    /// `None` where nothing was computed.
    pub fn of(lab: &PolicyLab, curve: &Curve) -> Option<Scale> {
        let points = || lab.rows.iter().flat_map(|row| &row.curve);
        let extent = |numbers: &mut dyn Iterator<Item = f64>| {
            numbers.fold(None, |known: Option<(f64, f64)>, number| {
                Some(known.map_or((number, number), |(least, most)| (least.min(number), most.max(number))))
            })
        };
        Some(Scale {
            factors: extent(&mut points().map(|point| point.factor.into()))?,
            values: extent(&mut points().filter_map(|point| (curve.of)(&point.measures)))?,
            written: curve.written,
        })
    }

    /// "3.412 to 3.520; factor 0.25 to 2.00".
    pub fn words(&self) -> String {
        let (least, most) = self.values;
        let written = self.written;
        let (first, last) = self.factors;
        say!(
            "{least} to {most}, from {first} to {last}",
            least = written(least),
            most = written(most),
            first = format_args!("{first:.2}"),
            last = format_args!("{last:.2}")
        )
    }

    fn x(&self, factor: f64) -> f64 {
        MARGIN + share(factor, self.factors) * (WIDTH - 2.0 * MARGIN)
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - MARGIN - share(value, self.values) * (HEIGHT - 2.0 * MARGIN)
    }
}

/// Where a number lies between two; at the lower one if these are the same.
fn share(number: f64, (least, most): (f64, f64)) -> f64 {
    if most > least { (number - least) / (most - least) } else { 0.0 }
}

pub fn spark(lab: &PolicyLab, row: &Row, curve: &Curve, scale: &Scale, label: &str) -> Html {
    let (mut others, mut own, mut dots) = (String::new(), String::new(), String::new());
    for of in &lab.rows {
        let is_own = of.policy == row.policy;
        let path = if is_own { &mut own } else { &mut others };
        let mut letter = 'M';
        for point in &of.curve {
            let Some(value) = (curve.of)(&point.measures) else { continue };
            let (x, y) = (scale.x(point.factor.into()), scale.y(value));
            // Writing to a string cannot fail.
            let _ = write!(path, "{letter}{x:.1} {y:.1}");
            letter = 'L';
            if is_own {
                let _ = write!(dots, "M{:.1} {:.1}h3v3h-3z", x - 1.5, y - 1.5);
            }
        }
    }
    let here = scale.x(lab.factor.into());
    html! {
        <svg class="spark" viewBox={format!("0 0 {WIDTH} {HEIGHT}")} width={WIDTH.to_string()} height={HEIGHT.to_string()}
            role="img" aria-label={label.to_owned()}>
            <title>{ label.to_owned() }</title>
            <path class="spark-here" d={format!("M{here:.1} 0v{HEIGHT}")} />
            <path class="spark-others" d={others} />
            <path class="spark-own" d={own} />
            <path class="spark-dots" d={dots} />
        </svg>
    }
}
