//! Load collapse (Shazeer et al. 2017, section 4): how uneven is demand with a balance loss and without?

use std::path::Path;

use anyhow::Result;
use moe_router::metrics::{demand, demand_cv, drop_rate_by_position, effective_experts, max_over_mean};
use serde::Serialize;

use super::chart::{Figure, Line, Panel, Scale, Stroke};
use super::estimate::mean;
use super::observe::Observed;
use super::report::{Finding, Section, Verdict, list, percent, write_json};
use super::{Of, TWIN};

/// Differs from its twin in the balance loss alone.
const UNBALANCED: &str = "unbalanced";

/// Without a balance loss demand counts as more uneven if its variation is so many times as large.
const FACTOR: f64 = 2.0;

/// A model has collapsed whose layers work with less than this part of their experts.
const COLLAPSED: f64 = 0.75;

/// Variations that differ by less are alike.
const DIFFERENT: f64 = 0.05;

#[derive(Serialize)]
struct LayerLoad {
    /// `[experts]`, requests.
    demand: Vec<u32>,
    /// Coefficient of variation.
    variation: f64,
    max_over_mean: f64,
    /// Experts with less than a tenth of the mean.
    idle: usize,
}

#[derive(Serialize)]
pub struct Load {
    tokens: usize,
    lost: f64,
    layers: Vec<LayerLoad>,
}

/// `observed`: with the capacity of training.
pub fn measure(observed: &Observed, tokens: usize) -> Load {
    let all = observed.routings_of(|_| true);
    let layers = observed.layers.iter().map(|layer| {
        let mut sum = vec![0; observed.num_experts];
        for routing in &layer.routings {
            sum.iter_mut().zip(demand(routing)).for_each(|(sum, demand)| *sum += demand);
        }
        let even = f64::from(sum.iter().sum::<u32>()) / observed.num_experts as f64;
        LayerLoad {
            variation: demand_cv(&sum),
            max_over_mean: max_over_mean(&sum),
            idle: sum.iter().filter(|demand| f64::from(**demand) < even / 10.0).count(),
            demand: sum,
        }
    });
    let lost = drop_rate_by_position(&all, 1).first().copied().flatten().unwrap_or(0.0);
    Load { tokens, lost, layers: layers.collect() }
}

impl LayerLoad {
    /// Share of all requests.
    fn busiest_quarter(&self) -> f64 {
        let mut demand = self.demand.clone();
        demand.sort_unstable_by(|a, b| b.cmp(a));
        let busiest: u32 = demand.iter().take(demand.len().div_ceil(4)).sum();
        f64::from(busiest) / f64::from(demand.iter().sum::<u32>()).max(1.0)
    }
}

impl Load {
    fn mean(&self, of: impl Fn(&LayerLoad) -> f64) -> f64 {
        mean(&self.layers.iter().map(of).collect::<Vec<_>>())
    }

    /// Demand shares by layer, the busiest expert first.
    fn panel(&self, title: &str) -> Panel {
        let of_layer = |(at, layer): (usize, &LayerLoad)| {
            let mut demand = layer.demand.clone();
            demand.sort_unstable_by(|a, b| b.cmp(a));
            let total = f64::from(demand.iter().sum::<u32>()).max(1.0);
            let points = demand.iter().enumerate().map(|(rank, &n)| (rank as f64 + 1.0, 100.0 * f64::from(n) / total));
            Line { name: format!("layer {at}"), points: points.collect(), stroke: Stroke::Solid(at) }
        };
        let mut lines: Vec<Line> = self.layers.iter().enumerate().map(of_layer).collect();
        let experts = self.layers.first().map_or(1, |layer| layer.demand.len()) as f64;
        let points = vec![(1.0, 100.0 / experts), (experts, 100.0 / experts)];
        lines.push(Line { name: "even".to_owned(), points, stroke: Stroke::Level });
        Panel { title: title.to_owned(), lines }
    }
}

pub fn section(models: &[Of<Load>], out: &Path) -> Result<Option<Section>> {
    let Some(Of { result: first, .. }) = models.first() else { return Ok(None) };
    write_json(&out.join("load.json"), &models)?;
    let find = |name: &str| models.iter().find(|of| of.model == name).map(|of| &of.result);
    let mut findings = Vec::new();
    if let (Some(balanced), Some(unbalanced)) = (find(TWIN), find(UNBALANCED)) {
        Figure {
            title: "Requests by expert, with a balance loss and without".to_owned(),
            x: "expert, the busiest first".to_owned(),
            y: "of all requests (%)".to_owned(),
            scale: Scale::Linear,
            panels: vec![balanced.panel(&format!("{TWIN}: with")), unbalanced.panel("unbalanced: without")],
        }
        .write(&out.join("load.svg"))?;
        let [with, without] = [balanced, unbalanced].map(|load| load.mean(|layer| layer.variation));
        let idle = |load: &Load| load.layers.iter().map(|layer| layer.idle).sum::<usize>();
        let experts = unbalanced.layers.iter().map(|layer| layer.demand.len()).sum::<usize>();
        findings.push(Finding {
            claim: "Without a balance loss demand is far less even",
            verdict: Verdict::of(without > FACTOR * with),
            found: format!(
                "Demand varies by {without:.2} of its mean without the loss and {with:.2} with it (mean over \
                layers; it holds from {FACTOR} times on), the busiest quarter of the experts gets {} and {} of \
                all requests, the busiest expert {:.1} and {:.1} times the mean, {} and {} of {experts} experts \
                get less than a tenth of it, and {} and {} of requests are lost.",
                percent(unbalanced.mean(LayerLoad::busiest_quarter)),
                percent(balanced.mean(LayerLoad::busiest_quarter)),
                unbalanced.mean(|layer| layer.max_over_mean),
                balanced.mean(|layer| layer.max_over_mean),
                idle(unbalanced),
                idle(balanced),
                percent(unbalanced.lost),
                percent(balanced.lost),
            ),
            published: "without balance losses the gate ends up favouring the same few experts, a collapse \
            (Shazeer et al. 2017, arXiv:1701.06538, section 4).",
            figure: Some("load.svg"),
        });
    }
    if let (Some(balanced), Some(unbalanced)) = (find(TWIN), find(UNBALANCED)) {
        let [with, without] = [balanced, unbalanced].map(|load| load.mean(|layer| effective_experts(&layer.demand)));
        let experts = |load: &Load| load.layers.first().map_or(0, |layer| layer.demand.len());
        let layers: Vec<String> =
            unbalanced.layers.iter().map(|layer| format!("{:.2}", effective_experts(&layer.demand))).collect();
        findings.push(Finding {
            claim: "Without a balance loss routing collapses: a layer works with fewer experts than it has",
            verdict: Verdict::of(
                without < COLLAPSED * experts(unbalanced) as f64 && with >= COLLAPSED * experts(balanced) as f64,
            ),
            found: format!(
                "Effective number of experts, exp of the entropy of their parts of the requests, mean over layers: \
                {UNBALANCED} {without:.2} of {}, its twin with the loss {TWIN} {with:.2} of {}; by layer of {UNBALANCED} {}. \
                It holds if {UNBALANCED} is below {COLLAPSED} of its experts and {TWIN} is not.",
                experts(unbalanced),
                experts(balanced),
                list(&layers),
            ),
            published: "the gate tends to converge to a state where it always gives large weights to the same few experts \
            (Shazeer et al. 2017, section 4; no number).",
            figure: None,
        });
    }
    let each: Vec<String> =
        models.iter().map(|of| format!("{} {:.2}", of.model, of.result.mean(|layer| layer.variation))).collect();
    let variation = |of: &Of<Load>| of.result.mean(|layer| layer.variation);
    let others = models.iter().filter(|of| of.model != UNBALANCED).map(variation).fold(0.0, f64::max);
    let all = format!("Variation of demand over experts, mean over layers: {}.", each.join(", "));
    let mut notes = Vec::new();
    match find(UNBALANCED) {
        Some(unbalanced) => findings.push(Finding {
            claim: "Of all models the one whose gate nothing balances is the least even",
            verdict: Verdict::of_difference(unbalanced.mean(|layer| layer.variation) - others, DIFFERENT),
            found: format!("{all} That of unbalanced must differ from the largest other by {DIFFERENT}."),
            published: "none.",
            figure: None,
        }),
        None => notes.push(all),
    }
    let method = format!(
        "Requests by expert over {} held-out tokens, with the capacity of training. Variation is the standard \
        deviation over the mean, 0 for even demand.",
        first.tokens,
    );
    Ok(Some(Section { title: "Load", method, findings, notes, data: "load.json" }))
}
