//! Line charts: one or more panels of the same kind, and a legend beside them where nothing lies under it.

use std::path::Path;

use anyhow::Result;

use super::canvas::{self, Anchor, Canvas, Colour, INK, Point};

/// A figure: panels in columns, with the same axes, of which the first names the lines for all.
pub struct Figure {
    pub title: String,
    /// Name of the horizontal axis, with its unit.
    pub x: String,
    /// Name of the vertical axis, with its unit.
    pub y: String,
    pub scale: Scale,
    pub panels: Vec<Panel>,
}

/// How the vertical axis counts.
#[derive(Clone, Copy, PartialEq)]
pub enum Scale {
    /// From 0, or below.
    Linear,
    Log10,
}

pub struct Panel {
    /// Empty for the only one.
    pub title: String,
    pub lines: Vec<Line>,
}

pub struct Line {
    pub name: String,
    pub points: Vec<(f64, f64)>,
    pub stroke: Stroke,
}

/// How a line looks; numbers pick a colour.
#[derive(Clone, Copy, PartialEq)]
pub enum Stroke {
    Solid(usize),
    Dashed(usize),
    Dots(usize),
    /// A level to compare with: chance, a bound.
    Level,
}

/// Told apart by most colour-blind readers too (Okabe and Ito 2008), the yellow darkened to be seen on white.
const COLOURS: [Colour; 8] = [
    (0, 114, 178),
    (213, 94, 0),
    (0, 158, 115),
    (204, 121, 167),
    (160, 130, 0),
    (86, 180, 233),
    (90, 60, 150),
    (120, 120, 120),
];
const GRID: Colour = (225, 225, 225);
const LEVEL: Colour = (90, 90, 90);

/// Room around a panel's plot: left, top (for its title, if it has one), right, below.
const MARGIN: (i32, i32, i32, i32) = (66, 30, 14, 48);
const UNTITLED: i32 = 8;
const TITLE: i32 = 44;
const LEGEND: i32 = 220;

/// An axis: what it spans, where it is labelled.
struct Axis {
    low: f64,
    high: f64,
    ticks: Vec<f64>,
    digits: usize,
}

impl Axis {
    /// Ticks at multiples of 1, 2 or 5 times a power of ten, at most nine of them.
    fn new(low: f64, high: f64) -> Axis {
        let span = if high > low { high - low } else { 1.0 };
        let power = 10_f64.powf((span / 6.0).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| span / step <= 8.0);
        let step = step.unwrap_or(span);
        let (first, last) = ((low / step - 1e-9).ceil() as i64, ((low + span) / step + 1e-9).floor() as i64);
        let ticks = (first..=last).map(|tick| tick as f64 * step).collect();
        Axis { low, high: low + span, ticks, digits: (-step.log10().floor()).max(0.0) as usize }
    }

    /// Ticks at 1, 2 and 5 times powers of ten; `low` and `high` are logarithms.
    fn log10(low: f64, high: f64) -> Axis {
        let powers = low.floor() as i32..=high.ceil() as i32;
        let all = powers.flat_map(|power| [1.0_f64, 2.0, 5.0].map(|factor| factor.log10() + f64::from(power)));
        Axis { low, high, ticks: all.filter(|tick| (low..=high).contains(tick)).collect(), digits: 0 }
    }

    /// 0 at the low end, 1 at the high one.
    fn part(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }
}

impl Figure {
    pub fn write(&self, path: &Path) -> Result<()> {
        let columns = if self.panels.len() > 1 { 2 } else { 1 };
        let rows = self.panels.len().div_ceil(columns).max(1);
        let panel_size = if columns == 1 { (640, 380) } else { (400, 290) };
        let width = columns as i32 * panel_size.0;
        let size = ((width + LEGEND) as u32, (TITLE + rows as i32 * panel_size.1) as u32);
        let (x, y) = self.axes();
        canvas::write(path, size, &self.title, |canvas| {
            for (number, panel) in self.panels.iter().enumerate() {
                let (column, row) = ((number % columns) as i32, (number / columns) as i32);
                canvas.origin = (column * panel_size.0, TITLE + row * panel_size.1);
                self.draw(panel, canvas, panel_size, (&x, &y))?;
            }
            canvas.origin = (width, TITLE + 10);
            self.panels.first().map_or(Ok(()), |panel| draw_legend(panel, canvas))
        })
    }

    fn height_of(&self, y: f64) -> f64 {
        if self.scale == Scale::Log10 { y.max(1e-9).log10() } else { y }
    }

    /// What all panels' points lie in, with a little room above.
    fn axes(&self) -> (Axis, Axis) {
        let points = || self.panels.iter().flat_map(|panel| &panel.lines).flat_map(|line| &line.points);
        let x = span(points().map(|point| point.0));
        let (low, high) = span(points().map(|point| self.height_of(point.1)));
        let y = match self.scale {
            Scale::Linear => {
                let (low, high) = (low.min(0.0), high.max(0.0));
                let room = 0.06 * (high - low);
                Axis::new(if low < 0.0 { low - room } else { 0.0 }, high + room)
            }
            Scale::Log10 => Axis::log10(low - 0.05, high + 0.05),
        };
        let mut x = Axis::new(x.0, x.1);
        if points().all(|point| point.0.fract() == 0.0) {
            // Layers, experts and positions are counted.
            x.ticks.retain(|tick| (tick - tick.round()).abs() < 1e-9);
            x.digits = 0;
        }
        (x, y)
    }

    fn draw(&self, panel: &Panel, canvas: &mut Canvas, size: Point, (x, y): (&Axis, &Axis)) -> Result<()> {
        let top = if panel.title.is_empty() { UNTITLED } else { MARGIN.1 };
        let (left, right, bottom) = (MARGIN.0, size.0 - MARGIN.2, size.1 - MARGIN.3);
        let across = |value: f64| left + (x.part(value) * f64::from(right - left)).round() as i32;
        let up = |value: f64| bottom - (y.part(value) * f64::from(bottom - top)).round() as i32;
        if !panel.title.is_empty() {
            canvas.text(&panel.title, ((left + right) / 2, 14), Anchor::Middle, 13)?;
        }
        for &tick in &y.ticks {
            let label = match self.scale {
                Scale::Linear => format!("{tick:.digits$}", digits = y.digits),
                Scale::Log10 => format!("{}", (10_f64.powf(tick) * 1e3).round() / 1e3),
            };
            canvas.line(&[(left, up(tick)), (right, up(tick))], GRID, 1)?;
            canvas.text(&label, (left - 7, up(tick)), Anchor::Right, 12)?;
        }
        for &tick in &x.ticks {
            canvas.line(&[(across(tick), bottom), (across(tick), bottom + 4)], INK, 1)?;
            canvas.text(
                &format!("{tick:.digits$}", digits = x.digits),
                (across(tick), bottom + 15),
                Anchor::Middle,
                12,
            )?;
        }
        canvas.line(&[(left, top), (left, bottom), (right, bottom)], INK, 1)?;
        canvas.text(&self.x, ((left + right) / 2, bottom + 35), Anchor::Middle, 12)?;
        canvas.text(&self.y, (16, (top + bottom) / 2), Anchor::Upwards, 12)?;
        for Line { points, stroke, .. } in &panel.lines {
            let points: Vec<Point> = points.iter().map(|&(x, y)| (across(x), up(self.height_of(y)))).collect();
            stroke.draw(canvas, &points)?;
        }
        Ok(())
    }
}

impl Stroke {
    fn draw(self, canvas: &mut Canvas, points: &[Point]) -> Result<()> {
        let colour = |number: usize| COLOURS[number % COLOURS.len()];
        match self {
            Stroke::Solid(number) => canvas.line(points, colour(number), 2),
            Stroke::Dashed(number) => canvas.dashes(points, colour(number), 2),
            Stroke::Dots(number) => points.iter().try_for_each(|&point| canvas.dot(point, colour(number))),
            Stroke::Level => canvas.dashes(points, LEVEL, 1),
        }
    }
}

/// A sample and the name of each line, one below the other.
fn draw_legend(panel: &Panel, canvas: &mut Canvas) -> Result<()> {
    for (row, Line { name, stroke, .. }) in panel.lines.iter().enumerate() {
        let y = 10 + 24 * row as i32;
        let sample = if let Stroke::Dots(_) = stroke { vec![(18, y), (26, y)] } else { vec![(8, y), (36, y)] };
        stroke.draw(canvas, &sample)?;
        canvas.text(name, (44, y), Anchor::Left, 12)?;
    }
    Ok(())
}

/// The least and the largest; 0 and 1 of nothing.
fn span(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let widened = |span: Option<(f64, f64)>, value: f64| {
        Some(span.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
    };
    values.fold(None, widened).unwrap_or((0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(axis: Axis, expected: &[&str]) {
        let labels: Vec<String> =
            axis.ticks.iter().map(|tick| format!("{tick:.digits$}", digits = axis.digits)).collect();
        assert_eq!(labels, expected);
    }

    #[test]
    fn ticks_are_round_numbers() {
        check(Axis::new(0.0, 255.0), &["0", "50", "100", "150", "200", "250"]);
        check(Axis::new(0.0, 0.23), &["0.00", "0.05", "0.10", "0.15", "0.20"]);
        check(Axis::new(0.0, 3.0), &["0.0", "0.5", "1.0", "1.5", "2.0", "2.5", "3.0"]);
        check(Axis::new(-0.3, 1.2), &["-0.2", "0.0", "0.2", "0.4", "0.6", "0.8", "1.0", "1.2"]);
        assert_eq!(Axis::new(2.0, 2.0).high, 3.0);
        let powers: Vec<f64> = Axis::log10(0.9, 2.1).ticks.iter().map(|tick| 10_f64.powf(*tick).round()).collect();
        assert_eq!(powers, [10.0, 20.0, 50.0, 100.0]);
    }
}
