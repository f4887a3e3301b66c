//! A sheet to draw on in pixels, written as SVG on a light ground of its own, so that it can be read on any page.

use std::convert::Infallible;
use std::fs;
use std::path::Path;

use anyhow::{Result, anyhow};
use plotters_backend::text_anchor::{HPos, Pos, VPos};
use plotters_backend::{BackendColor, BackendStyle, BackendTextStyle, DrawingBackend, FontFamily, FontTransform};
use plotters_svg::SVGBackend;

pub type Colour = (u8, u8, u8);
/// Pixels from the left and from the top.
pub type Point = (i32, i32);

pub const INK: Colour = (34, 34, 34);

/// Which part of a text stands at its point, halfway up.
#[derive(Clone, Copy)]
pub enum Anchor {
    Left,
    Middle,
    Right,
    /// Its middle, read from below.
    Upwards,
}

pub struct Canvas<'a> {
    svg: SVGBackend<'a>,
    /// Where drawing begins: panels draw as if they were alone.
    pub origin: Point,
}

/// Writes what `draw` draws below a title.
pub fn write(path: &Path, size: (u32, u32), title: &str, draw: impl Fn(&mut Canvas) -> Result<()>) -> Result<()> {
    let mut text = String::new();
    {
        let mut canvas = Canvas { svg: SVGBackend::with_string(&mut text, size), origin: (0, 0) };
        canvas.rectangle((0, 0), (size.0 as i32, size.1 as i32), (255, 255, 255))?;
        canvas.text(title, (16, 24), Anchor::Left, 16)?;
        draw(&mut canvas)?;
        canvas.svg.present().map_err(failed)?;
    }
    fs::write(path, text)?;
    Ok(())
}

impl Canvas<'_> {
    pub fn rectangle(&mut self, from: Point, to: Point, colour: Colour) -> Result<()> {
        let (from, to) = (self.at(from), self.at(to));
        self.svg.draw_rect(from, to, &Pen { colour, width: 1, alpha: 1.0 }, true).map_err(failed)
    }

    pub fn line(&mut self, points: &[Point], colour: Colour, width: u32) -> Result<()> {
        let points: Vec<Point> = points.iter().map(|&point| self.at(point)).collect();
        self.svg.draw_path(points, &Pen { colour, width, alpha: 1.0 }).map_err(failed)
    }

    /// Dashes along a line, measured along it, corners included.
    pub fn dashes(&mut self, points: &[Point], colour: Colour, width: u32) -> Result<()> {
        const DASH: f64 = 6.0;
        const GAP: f64 = 4.0;
        let mut done = 0.0;
        for pair in points.windows(2) {
            let [from, to] = [pair[0], pair[1]].map(|(x, y)| (f64::from(x), f64::from(y)));
            let length = (to.0 - from.0).hypot(to.1 - from.1);
            let along = |at: f64| {
                let part = if length > 0.0 { at / length } else { 0.0 };
                ((from.0 + part * (to.0 - from.0)).round() as i32, (from.1 + part * (to.1 - from.1)).round() as i32)
            };
            let mut at = 0.0;
            while at < length {
                let phase = (done + at) % (DASH + GAP);
                let step = if phase < DASH { DASH - phase } else { DASH + GAP - phase }.max(0.01);
                if phase < DASH {
                    self.line(&[along(at), along((at + step).min(length))], colour, width)?;
                }
                at += step;
            }
            done += length;
        }
        Ok(())
    }

    pub fn dot(&mut self, at: Point, colour: Colour) -> Result<()> {
        let at = self.at(at);
        self.svg.draw_circle(at, 2, &Pen { colour, width: 1, alpha: 0.6 }, true).map_err(failed)
    }

    pub fn text(&mut self, words: &str, at: Point, anchor: Anchor, size: u32) -> Result<()> {
        let at = self.at(at);
        self.svg.draw_text(words, &Letters { anchor, size }, at).map_err(failed)
    }

    fn at(&self, point: Point) -> Point {
        (self.origin.0 + point.0, self.origin.1 + point.1)
    }
}

fn failed(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("the figure could not be drawn: {error}")
}

struct Pen {
    colour: Colour,
    width: u32,
    alpha: f64,
}

impl BackendStyle for Pen {
    fn color(&self) -> BackendColor {
        BackendColor { alpha: self.alpha, rgb: self.colour }
    }

    fn stroke_width(&self) -> u32 {
        self.width
    }
}

struct Letters {
    anchor: Anchor,
    /// Pixels.
    size: u32,
}

impl BackendTextStyle for Letters {
    type FontError = Infallible;

    fn color(&self) -> BackendColor {
        BackendColor { alpha: 1.0, rgb: INK }
    }

    fn size(&self) -> f64 {
        // The backend divides by this number.
        f64::from(self.size) * 1.24
    }

    fn transform(&self) -> FontTransform {
        if let Anchor::Upwards = self.anchor { FontTransform::Rotate270 } else { FontTransform::None }
    }

    fn anchor(&self) -> Pos {
        let across = match self.anchor {
            Anchor::Left => HPos::Left,
            Anchor::Middle | Anchor::Upwards => HPos::Center,
            Anchor::Right => HPos::Right,
        };
        Pos::new(across, VPos::Center)
    }

    fn family(&self) -> FontFamily<'_> {
        FontFamily::SansSerif
    }

    /// What shows an SVG lays its text out; nothing here asks.
    fn layout_box(&self, _: &str) -> Result<(Point, Point), Infallible> {
        Ok(((0, 0), (0, 0)))
    }

    fn draw<E, Draw: FnMut(i32, i32, BackendColor) -> Result<(), E>>(
        &self,
        _: &str,
        _: Point,
        _: Draw,
    ) -> Result<Result<(), E>, Infallible> {
        Ok(Ok(()))
    }
}
