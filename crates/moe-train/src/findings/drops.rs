//! Drop towards the end (OpenMoE, arXiv:2402.01739, figure 12): does a token lose its experts more often the later it
//! stands in the text, and does the order of service decide that?

mod told;

use std::path::Path;

use anyhow::{Result, bail};
use moe_router::metrics::{drop_rank_correlation, drop_rate_by_position, drop_towards_the_end};
use moe_trace::{CapacitySpec, Overflow, Priority};
use serde::Serialize;

use super::chart::{Figure, Line, Panel, Scale, Stroke};
use super::estimate::{Estimate, moving_mean};
use super::observe::{Model, Observed, Text};

/// The last quarter loses more than the first if it does so by this share of requests.
pub const THRESHOLD: f64 = 0.01;

/// Capacity factors, besides the one the model was trained with.
const FACTORS: [f32; 3] = [0.75, 1.0, 2.0];
/// The factor at which orders of service are compared: tight enough for drops everywhere.
const TIGHT: f32 = 1.0;

/// An order of service flattens the curve if losses then rise or fall by less than this part of what they do by
/// position.
const FLATTENED: f64 = 0.1;

/// Neighbours on either side in a moving mean.
pub const REACH: usize = 10;

/// One way to serve, over one domain or all.
#[derive(Serialize)]
pub struct Curve {
    /// `all` for all together.
    pub domain: String,
    /// `none` where nobody is turned away.
    pub order: &'static str,
    pub factor: f32,
    /// Share of requests lost.
    pub lost: f64,
    pub lost_by_quarter: Vec<f64>,
    /// Last quarter minus first: mean over windows.
    pub towards_the_end: Estimate,
    /// Spearman's correlation of position and drop rate.
    pub rank_correlation: f64,
    /// `[positions]`, all layers together.
    pub lost_by_position: Vec<f64>,
}

#[derive(Serialize)]
pub struct Drops {
    model: String,
    /// The factor it was trained with.
    trained_factor: f32,
    tokens: usize,
    curves: Vec<Curve>,
}

/// Runs the model once for every way to serve.
pub fn measure(model: &Model, text: &Text) -> Result<Drops> {
    let Overflow::Drop(CapacitySpec { factor: trained_factor, .. }) = model.site.manifest.trained_routing.overflow
    else {
        bail!("{} was trained without a capacity; drops are measured of a model that has one", model.site.name());
    };
    let slots = |factor, priority| Overflow::Drop(CapacitySpec { factor, priority, ..CapacitySpec::default() });
    let mut ways: Vec<(&str, f32, Overflow)> =
        factors(trained_factor).map(|factor| ("position", factor, slots(factor, Priority::Position))).collect();
    ways.push(("confidence", TIGHT, slots(TIGHT, Priority::BprMax)));
    ways.push(("lot", TIGHT, slots(TIGHT, Priority::Random)));
    ways.push(("none", 0.0, Overflow::Dropless));
    let mut curves = Vec::new();
    for (order, factor, overflow) in ways {
        let observed = Observed::of(model, text, overflow)?;
        let domains = text.domains.iter().enumerate().map(|(at, name)| (Some(at), name.as_str()));
        for (domain, name) in domains.chain([(None, "all")]) {
            let windows = |window: usize| domain.is_none_or(|domain| text.domain_of_window[window] == domain);
            curves.push(curve(&observed, text, &windows, name, order, factor));
        }
    }
    Ok(Drops { model: model.site.name().to_owned(), trained_factor, tokens: text.num_all_tokens(), curves })
}

/// All that are measured, the smallest first.
fn factors(trained: f32) -> impl Iterator<Item = f32> {
    let mut factors: Vec<f32> = FACTORS.into_iter().filter(|factor| *factor != trained).chain([trained]).collect();
    factors.sort_by(f32::total_cmp);
    factors.into_iter()
}

pub fn curve(
    observed: &Observed,
    text: &Text,
    windows: &dyn Fn(usize) -> bool,
    domain: &str,
    order: &'static str,
    factor: f32,
) -> Curve {
    let routings = observed.routings_of(windows);
    let rates = |bins| drop_rate_by_position(&routings, bins).into_iter().map(|rate| rate.unwrap_or(0.0)).collect();
    let rises: Vec<f64> =
        (0..text.num_windows()).filter(|&window| windows(window)).map(|w| rise(observed, w)).collect();
    Curve {
        domain: domain.to_owned(),
        order,
        factor,
        lost: drop_rate_by_position(&routings, 1).first().copied().flatten().unwrap_or(0.0),
        lost_by_quarter: rates(4),
        towards_the_end: Estimate::of(&rises),
        rank_correlation: drop_rank_correlation(&routings),
        lost_by_position: rates(text.num_tokens),
    }
}

/// Drop towards the end within one window, all layers together.
pub fn rise(observed: &Observed, window: usize) -> f64 {
    drop_towards_the_end(&observed.routings_of(|at| at == window))
}

/// A smoothed curve to draw, in percent.
pub fn line(name: String, curve: &Curve, stroke: Stroke) -> Line {
    let smooth = moving_mean(&curve.lost_by_position, REACH);
    let points = smooth.iter().enumerate().map(|(position, rate)| (position as f64, 100.0 * rate)).collect();
    Line { name, points, stroke }
}

pub fn figure(title: String, lines: Vec<Line>) -> Figure {
    Figure {
        title,
        x: "position in the text (tokens)".to_owned(),
        y: "requests lost (%)".to_owned(),
        scale: Scale::Linear,
        panels: vec![Panel { title: String::new(), lines }],
    }
}

impl Drops {
    fn of(&self, domain: &str, order: &str, factor: f32) -> Option<&Curve> {
        self.curves.iter().find(|c| c.domain == domain && c.order == order && c.factor == factor)
    }

    fn of_all(&self, order: &str, factor: f32) -> Option<&Curve> {
        self.of("all", order, factor)
    }

    /// Served by position, all text, by factor.
    fn by_factor(&self) -> Vec<&Curve> {
        factors(self.trained_factor).filter_map(|factor| self.of_all("position", factor)).collect()
    }

    /// Served by position at the trained factor, by kind of text.
    fn by_domain(&self) -> Vec<&Curve> {
        let is_wanted = |c: &&Curve| c.order == "position" && c.factor == self.trained_factor && c.domain != "all";
        self.curves.iter().filter(is_wanted).collect()
    }

    /// At the tight factor, all text, by order of service in words.
    fn by_order(&self) -> Vec<(&'static str, &Curve)> {
        let orders = [
            ("position", "by position", TIGHT),
            ("confidence", "the surest first", TIGHT),
            ("lot", "by lot", TIGHT),
            ("none", "nobody is turned away", 0.0),
        ];
        orders.into_iter().filter_map(|(order, words, factor)| Some((words, self.of_all(order, factor)?))).collect()
    }

    fn draw(&self, out: &Path) -> Result<()> {
        let (model, trained) = (&self.model, self.trained_factor);
        let by_factor = self.by_factor().into_iter().map(|c| (format!("factor {}", c.factor), c)).collect();
        let by_domain = self.by_domain().into_iter().map(|c| (c.domain.clone(), c)).collect();
        let by_order = self.by_order().into_iter().map(|(words, c)| (words.to_owned(), c)).collect();
        type Named<'a> = Vec<(String, &'a Curve)>;
        let figures: [(String, Named, &str); 3] = [
            (format!("by capacity factor ({model})"), by_factor, "drops-by-factor.svg"),
            (format!("by kind of text ({model}, factor {trained})"), by_domain, "drops-by-domain.svg"),
            (format!("by order of service ({model}, factor {TIGHT})"), by_order, "drops-by-order.svg"),
        ];
        for (title, curves, file) in figures {
            let lines = curves.into_iter().enumerate().map(|(at, (name, c))| line(name, c, Stroke::Solid(at)));
            figure(format!("Requests lost by position, {title}"), lines.collect()).write(&out.join(file))?;
        }
        Ok(())
    }
}
