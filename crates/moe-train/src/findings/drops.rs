//! Drop towards the end (OpenMoE, arXiv:2402.01739, figure 12): does a token lose its experts more often the later it
//! stands in the text, and does the order of service decide that?

use std::path::Path;

use anyhow::{Result, bail};
use moe_router::metrics::{drop_rank_correlation, drop_rate_by_position, drop_towards_the_end};
use moe_trace::{CapacitySpec, Overflow, Priority};
use serde::Serialize;

use super::chart::{Figure, Line, Panel, Scale, Stroke};
use super::estimate::{Direction, Estimate, moving_mean};
use super::observe::{Model, Observed, Text};
use super::report::{Finding, Section, Verdict, percent, write_json};

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

/// Is one rise larger than another, beyond twice the standard error of their difference?
fn exceeds(one: &Estimate, other: &Estimate) -> Verdict {
    let standard_error = one.standard_error.hypot(other.standard_error);
    match (Estimate { mean: one.mean - other.mean, standard_error }).direction(0.0) {
        Direction::Up => Verdict::Holds,
        Direction::Flat => Verdict::Open,
        Direction::Down => Verdict::DoesNotHold,
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

    pub fn section(&self, out: &Path) -> Result<Section> {
        self.draw(out)?;
        write_json(&out.join("drops.json"), self)?;
        let method = format!(
            "Share of requests lost at every position of windows of {} held-out tokens ({} tokens, all layers \
            together), each window a routing group. As long as fewer tokens were served than an expert has slots, \
            nobody can lose, whatever the model; what a model adds is how soon after and how steeply losses rise. ± \
            is two standard errors over windows. Losses \"rise\" if the last quarter loses at least {:.0} point \
            more than the first, and more than ±. Figures show moving means of {} positions.",
            self.curves.first().map_or(0, |c| c.lost_by_position.len()),
            self.tokens,
            100.0 * THRESHOLD,
            2 * REACH + 1,
        );
        let findings = [self.towards_the_end(), self.unlike_text(), self.order_of_service()];
        let findings = findings.into_iter().flatten().collect();
        Ok(Section { title: "Drop towards the end", method, findings, notes: Vec::new(), data: "drops.json" })
    }

    fn towards_the_end(&self) -> Option<Finding> {
        let trained = self.of_all("position", self.trained_factor)?;
        let by_factor = self.by_factor();
        let others = by_factor.iter().filter(|c| c.factor != self.trained_factor);
        let others: Vec<String> =
            others.map(|c| format!("factor {}: {}", c.factor, c.towards_the_end.in_points())).collect();
        Some(Finding {
            claim: "Tokens late in a text lose their experts more often",
            verdict: Verdict::of(trained.towards_the_end.direction(THRESHOLD) == Direction::Up),
            found: format!(
                "With {} at the trained factor {}, served by position, {} of the requests of the first quarter and \
                {} of the last are lost, {}; rank correlation of position and loss {:.2} ({}).",
                self.model,
                self.trained_factor,
                percent(trained.lost_by_quarter[0]),
                percent(trained.lost_by_quarter[3]),
                trained.towards_the_end.in_points(),
                trained.rank_correlation,
                others.join("; "),
            ),
            published: "OpenMoE-8B/32E, first and last 256 of 2048 positions: RedPajama 0.2 % and 0.3 %, TED 0.2 % \
            and 3.7 %, MT-Bench 0.4 % and 19.4 % (arXiv:2402.01739, figure 12, read off the curves).",
            figure: Some("drops-by-factor.svg"),
        })
    }

    fn unlike_text(&self) -> Option<Finding> {
        let by_domain = self.by_domain();
        let rise = |c: &Curve| c.towards_the_end.mean;
        let by_rise = |a: &&Curve, b: &&Curve| rise(a).total_cmp(&rise(b));
        let most = by_domain.iter().copied().max_by(by_rise)?;
        let least = by_domain.iter().copied().min_by(by_rise)?;
        let unseen = by_domain.iter().copied().find(|c| c.domain == super::UNSEEN);
        let runner_up = by_domain.iter().copied().filter(|c| c.domain != super::UNSEEN).max_by(by_rise);
        let compared = unseen.zip(runner_up).map_or(String::new(), |(unseen, other)| {
            format!(
                "; {}, which {} was not trained on, has {}, the most of all other kinds is {} in {}",
                unseen.domain,
                self.model,
                unseen.towards_the_end.in_points(),
                other.towards_the_end.in_points(),
                other.domain,
            )
        });
        Some(Finding {
            claim: "Text unlike the training text is dropped the most at the end",
            verdict: match (unseen, runner_up) {
                (Some(unseen), Some(other)) => exceeds(&unseen.towards_the_end, &other.towards_the_end),
                _ => Verdict::Open,
            },
            found: format!(
                "At factor {} losses rise the most in {} ({}) and the least in {} ({}){compared}.",
                self.trained_factor,
                most.domain,
                most.towards_the_end.in_points(),
                least.domain,
                least.towards_the_end.in_points(),
            ),
            published: "in-domain text is hardly dropped, instructions and other languages much, and late (OpenMoE, \
            figure 12a).",
            figure: Some("drops-by-domain.svg"),
        })
    }

    fn order_of_service(&self) -> Option<Finding> {
        let (by_position, none) = (self.of_all("position", TIGHT)?, self.of_all("none", 0.0)?);
        let mut controls = ["confidence", "lot"].into_iter().filter_map(|order| self.of_all(order, TIGHT));
        let allowed = FLATTENED * by_position.towards_the_end.mean.abs();
        let flat = controls.all(|c| c.towards_the_end.mean.abs() <= allowed);
        let in_words = |(words, c): &(&str, &Curve)| {
            format!("{words} {} ({} lost)", c.towards_the_end.in_points(), percent(c.lost))
        };
        let words: Vec<String> = self.by_order().iter().skip(1).map(in_words).collect();
        Some(Finding {
            claim: "It is the order of service that does it: by confidence or by lot, losses do not depend on position",
            verdict: Verdict::of(flat && none.lost == 0.0),
            found: format!(
                "At factor {TIGHT}, served by position, losses change by {} from the first to the last quarter ({} \
                lost in all), and it holds if the other orders change them by less than a tenth of that: {}.",
                by_position.towards_the_end.in_points(),
                percent(by_position.lost),
                words.join("; "),
            ),
            published: "none with numbers; V-MoE introduced service by confidence to choose what is lost \
            (arXiv:2106.05974, section 4).",
            figure: Some("drops-by-order.svg"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_rise_exceeds_another_only_beyond_their_errors() {
        let of = |mean| Estimate { mean, standard_error: 0.03 };
        // The difference has an error of 0.03 · √2 = 0.042.
        assert_eq!(exceeds(&of(0.30), &of(0.20)), Verdict::Holds);
        assert_eq!(exceeds(&of(0.25), &of(0.20)), Verdict::Open);
        assert_eq!(exceeds(&of(0.10), &of(0.20)), Verdict::DoesNotHold);
    }
}
