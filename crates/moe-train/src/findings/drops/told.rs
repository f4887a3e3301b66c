//! What was found about drops towards the end, in words: three claims, each with its verdict.

use std::path::Path;

use anyhow::Result;

use super::{Curve, Drops, FLATTENED, REACH, THRESHOLD, TIGHT};
use crate::findings::UNSEEN;
use crate::findings::estimate::{Direction, Estimate};
use crate::findings::report::{Finding, Section, Verdict, percent, write_json};

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
        let unseen = by_domain.iter().copied().find(|c| c.domain == UNSEEN);
        let runner_up = by_domain.iter().copied().filter(|c| c.domain != UNSEEN).max_by(by_rise);
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
