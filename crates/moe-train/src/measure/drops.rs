//! Drop towards the end (OpenMoE, arXiv:2402.01739, figure 12): does a token lose its experts more often the later it
//! stands in the text, and does the order of service decide that?

use std::path::Path;

use anyhow::Result;
use moe_router::metrics::{drop_rank_correlation, drop_rate_by_position, drop_towards_the_end};
use moe_trace::{CapacitySpec, Overflow, Priority};
use serde::Serialize;

use super::chart::{Figure, Line, Panel, Scale, Stroke};
use super::estimate::{Direction, Estimate, moving_mean};
use super::models::Model;
use super::observe::{Observed, Text};
use super::report::{Finding, Section, Verdict, percent, write_json};

/// The last quarter loses more than the first if it does so by this share of requests.
pub const THRESHOLD: f64 = 0.01;

/// Capacity factors; the last but one is what the models were trained with.
const FACTORS: [f32; 4] = [0.75, 1.0, 1.25, 2.0];
const TRAINED: f32 = 1.25;
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
    tokens: usize,
    curves: Vec<Curve>,
}

/// Runs the model once for every way to serve.
pub fn measure(model: &Model, text: &Text) -> Result<Drops> {
    let slots = |factor, priority| Overflow::Drop(CapacitySpec { factor, priority, ..CapacitySpec::default() });
    let mut ways: Vec<(&str, f32, Overflow)> =
        FACTORS.iter().map(|&factor| ("position", factor, slots(factor, Priority::Position))).collect();
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
    Ok(Drops { model: model.name.clone(), tokens: text.num_all_tokens(), curves })
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

    pub fn section(&self, out: &Path) -> Result<Section> {
        let model = &self.model;
        let of_all = |order: &str, factor: f32| self.of("all", order, factor);
        let by_factor: Vec<&Curve> = FACTORS.iter().filter_map(|&factor| of_all("position", factor)).collect();
        let lines =
            by_factor.iter().enumerate().map(|(at, c)| line(format!("factor {}", c.factor), c, Stroke::Solid(at)));
        figure(format!("Requests lost by position, by capacity factor ({model})"), lines.collect())
            .write(&out.join("drops-by-factor.svg"))?;

        let by_domain: Vec<&Curve> =
            self.curves.iter().filter(|c| c.order == "position" && c.factor == TRAINED && c.domain != "all").collect();
        let lines = by_domain.iter().enumerate().map(|(at, c)| line(c.domain.clone(), c, Stroke::Solid(at)));
        figure(format!("Requests lost by position, by kind of text ({model}, factor {TRAINED})"), lines.collect())
            .write(&out.join("drops-by-domain.svg"))?;

        let orders = [
            ("position", "by position", TIGHT),
            ("confidence", "the surest first", TIGHT),
            ("lot", "by lot", TIGHT),
            ("none", "nobody is turned away", 0.0),
        ];
        let by_order: Vec<(&str, &Curve)> =
            orders.iter().filter_map(|&(order, words, factor)| Some((words, of_all(order, factor)?))).collect();
        let lines = by_order.iter().enumerate().map(|(at, (words, c))| line((*words).to_owned(), c, Stroke::Solid(at)));
        figure(format!("Requests lost by position, by order of service ({model}, factor {TIGHT})"), lines.collect())
            .write(&out.join("drops-by-order.svg"))?;
        write_json(&out.join("drops.json"), self)?;

        let mut findings = Vec::new();
        if let Some(trained) = of_all("position", TRAINED) {
            let others: Vec<String> = by_factor
                .iter()
                .filter(|c| c.factor != TRAINED)
                .map(|c| format!("factor {}: {}", c.factor, c.towards_the_end.in_points()))
                .collect();
            findings.push(Finding {
                claim: "Tokens late in a text lose their experts more often",
                verdict: Verdict::of(trained.towards_the_end.direction(THRESHOLD) == Direction::Up),
                found: format!(
                    "With {model} at the trained factor {TRAINED}, served by position, {} of the requests of \
                    the first quarter and {} of the last are lost, {}; rank correlation of position and loss \
                    {:.2} ({}).",
                    percent(trained.lost_by_quarter[0]),
                    percent(trained.lost_by_quarter[3]),
                    trained.towards_the_end.in_points(),
                    trained.rank_correlation,
                    others.join("; "),
                ),
                published: "OpenMoE-8B/32E, first and last 256 of 2048 positions: RedPajama 0.2 % and 0.3 %, \
                TED 0.2 % and 3.7 %, MT-Bench 0.4 % and 19.4 % (arXiv:2402.01739, figure 12, read off the \
                curves).",
                figure: Some("drops-by-factor.svg"),
            });
        }
        let rise = |c: &&Curve| c.towards_the_end.mean;
        if let (Some(most), Some(least)) = (
            by_domain.iter().copied().max_by(|a, b| rise(a).total_cmp(&rise(b))),
            by_domain.iter().copied().min_by(|a, b| rise(a).total_cmp(&rise(b))),
        ) {
            let unseen = by_domain.iter().find(|c| c.domain == super::UNSEEN);
            let seen = by_domain.iter().filter(|c| c.domain != super::UNSEEN);
            let runner_up = seen.max_by(|a, b| rise(a).total_cmp(&rise(b)));
            findings.push(Finding {
                claim: "Text unlike the training text is dropped the most at the end",
                verdict: match (unseen, runner_up) {
                    (Some(unseen), Some(other)) => exceeds(&unseen.towards_the_end, &other.towards_the_end),
                    _ => Verdict::Open,
                },
                found: format!(
                    "At factor {TRAINED} losses rise the most in {} ({}) and the least in {} ({}){}.",
                    most.domain,
                    most.towards_the_end.in_points(),
                    least.domain,
                    least.towards_the_end.in_points(),
                    unseen.zip(runner_up).map_or(String::new(), |(unseen, other)| format!(
                        "; {}, which {model} was not trained on, has {}, the most of all other kinds is {} in {}",
                        unseen.domain,
                        unseen.towards_the_end.in_points(),
                        other.towards_the_end.in_points(),
                        other.domain,
                    )),
                ),
                published: "in-domain text is hardly dropped, instructions and other languages much, and late \
                (OpenMoE, figure 12a).",
                figure: Some("drops-by-domain.svg"),
            });
        }
        if let (Some(by_position), Some(none)) = (of_all("position", TIGHT), of_all("none", 0.0)) {
            let controls: Vec<&Curve> = ["confidence", "lot"].iter().filter_map(|order| of_all(order, TIGHT)).collect();
            let allowed = FLATTENED * by_position.towards_the_end.mean.abs();
            let flat = controls.iter().all(|c| c.towards_the_end.mean.abs() <= allowed);
            let words: Vec<String> = by_order
                .iter()
                .skip(1)
                .map(|(words, c)| format!("{words} {} ({} lost)", c.towards_the_end.in_points(), percent(c.lost)))
                .collect();
            findings.push(Finding {
                claim: "It is the order of service that does it: by confidence or by lot, losses do not depend \
                on position",
                verdict: Verdict::of(flat && none.lost == 0.0),
                found: format!(
                    "At factor {TIGHT}, served by position, losses change by {} from the first to the last \
                    quarter ({} lost in all), and it holds if the other orders change them by less than a tenth \
                    of that: {}.",
                    by_position.towards_the_end.in_points(),
                    percent(by_position.lost),
                    words.join("; "),
                ),
                published: "none with numbers; V-MoE introduced service by confidence to choose what is lost \
                (arXiv:2106.05974, section 4).",
                figure: Some("drops-by-order.svg"),
            });
        }
        let method = format!(
            "Share of requests lost at every position of windows of {} held-out tokens ({} tokens, all layers \
            together), each window a routing group; ± is two standard errors over windows. Losses \"rise\" if \
            the last quarter loses at least {:.0} point more than the first, and more than ±. Figures show \
            moving means of {} positions.",
            by_factor.first().map_or(0, |c| c.lost_by_position.len()),
            self.tokens,
            100.0 * THRESHOLD,
            2 * REACH + 1,
        );
        Ok(Section { title: "Drop towards the end", method, findings, notes: Vec::new(), data: "drops.json" })
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
