//! Representation collapse (X-MoE, arXiv:2204.09179, section 4.5): are hidden states pulled together by expert, and
//! does a cosine gate prevent it?

use std::path::Path;

use anyhow::Result;
use moe_router::matrix::Matrix;
use moe_router::measure::{ClassWeights, effective_rank};
use serde::Serialize;

use super::chart::{Figure, Line, Panel, Scale, Stroke};
use super::estimate::mean;
use super::observe::{HIDDEN_EVERY, Observed};
use super::report::{Finding, Section, Verdict, list, write_json};
use super::{Of, TWIN};
use crate::train::history::{COLLAPSE_WINDOWS, collapse};
use moe_model::history::Moment;

const COSINE: &str = "cosine";

/// RC fell or rose if it changed by this factor.
const CHANGED: f64 = 1.1;

/// Changes count from this part of training on: before, routing is near random and RC says little.
const FROM: f64 = 0.1;

#[derive(Serialize)]
struct LayerCollapse {
    /// Over held-out text, at the end. Smaller is more collapsed.
    rc: f64,
    rc_equal_classes: f64,
    effective_rank: f64,
    /// `[moments]`, over less text; empty without a history.
    rc_by_moment: Vec<f64>,
}

#[derive(Serialize)]
pub struct Collapsed {
    tokens: usize,
    dimensions: usize,
    /// `[moments]`
    steps: Vec<usize>,
    layers: Vec<LayerCollapse>,
}

/// `observed`: nobody turned away. `experts`: `[layers][tokens, k]`.
pub fn measure(observed: &Observed, experts: &[Vec<u32>], k: usize, moments: &[Moment]) -> Collapsed {
    let layers = observed.layers.iter().zip(experts).enumerate().map(|(layer, (of_layer, experts))| {
        let classes = experts.chunks(k).step_by(HIDDEN_EVERY).map(|experts| experts.first().copied());
        let classes: Vec<Option<u32>> = classes.collect();
        LayerCollapse {
            rc: collapse(&of_layer.hidden, &classes, ClassWeights::BySize),
            rc_equal_classes: collapse(&of_layer.hidden, &classes, ClassWeights::Equal),
            effective_rank: effective_rank(&of_layer.hidden),
            rc_by_moment: moments.iter().filter_map(|moment| moment.collapse.get(layer).copied()).collect(),
        }
    });
    let hidden = observed.layers.first().map(|layer| &layer.hidden);
    Collapsed {
        tokens: hidden.map_or(0, Matrix::num_rows),
        dimensions: hidden.map_or(0, Matrix::width),
        steps: moments.iter().map(|moment| moment.step).collect(),
        layers: layers.collect(),
    }
}

impl Collapsed {
    fn rc_at(&self, moment: usize) -> Option<f64> {
        let of_layers: Option<Vec<f64>> =
            self.layers.iter().map(|layer| layer.rc_by_moment.get(moment).copied()).collect();
        of_layers.map(|all| mean(&all))
    }

    /// Mean over layers: of the first third of the moments from `FROM` of training on, and of the last third. Single
    /// moments vary too much.
    fn change(&self) -> Option<(f64, f64)> {
        let last = *self.steps.last()?;
        let from = self.steps.iter().position(|&step| step as f64 >= FROM * last as f64)?;
        let all = (from..self.steps.len()).map(|moment| self.rc_at(moment)).collect::<Option<Vec<f64>>>()?;
        let third = all.len().div_ceil(3);
        Some((mean(&all[..third]), mean(&all[all.len() - third..])))
    }

    fn mean(&self, of: impl Fn(&LayerCollapse) -> f64) -> f64 {
        mean(&self.layers.iter().map(of).collect::<Vec<_>>())
    }
}

/// "falls", "rises" or "stays", and the two numbers.
fn movement(change: Option<(f64, f64)>) -> &'static str {
    match change {
        Some((from, to)) if to * CHANGED < from => "falls",
        Some((from, to)) if to > from * CHANGED => "rises",
        Some(_) => "stays",
        None => "is not known",
    }
}

pub fn section(models: &[Of<Collapsed>], out: &Path) -> Result<Option<Section>> {
    let Some(Of { result: first, .. }) = models.first() else { return Ok(None) };
    write_json(&out.join("collapse.json"), &models)?;
    let find = |name: &str| models.iter().find(|of| of.model == name).map(|of| &of.result);
    let with_history: Vec<&Of<Collapsed>> = models.iter().filter(|of| of.result.change().is_some()).collect();
    let mut figure = None;
    if !with_history.is_empty() {
        let panel = |of: &&Of<Collapsed>| {
            let end = of.result.steps.last().copied().unwrap_or(0).max(1) as f64;
            let share = |step: usize| 100.0 * step as f64 / end;
            let line = |(at, layer): (usize, &LayerCollapse)| Line {
                name: format!("layer {at}"),
                points: of.result.steps.iter().zip(&layer.rc_by_moment).map(|(s, rc)| (share(*s), *rc)).collect(),
                stroke: Stroke::Solid(at),
            };
            Panel { title: of.model.clone(), lines: of.result.layers.iter().enumerate().map(line).collect() }
        };
        Figure {
            title: "Spread of hidden states within experts over that between them".to_owned(),
            x: "part of training (%)".to_owned(),
            y: "RC; smaller is more collapsed".to_owned(),
            scale: Scale::Log10,
            panels: with_history.iter().map(panel).collect(),
        }
        .write(&out.join("collapse.svg"))?;
        figure = Some("collapse.svg");
    }

    let mut findings = Vec::new();
    let linear = with_history.iter().filter(|of| of.model != COSINE);
    let linear: Vec<(&str, &Collapsed)> = linear.map(|of| (of.model.as_str(), &of.result)).collect();
    if !linear.is_empty() {
        let words: Vec<String> = linear
            .iter()
            .filter_map(|(name, collapsed)| {
                let (from, to) = collapsed.change()?;
                Some(format!("in {name} RC {} from {from:.1} to {to:.1}", movement(Some((from, to)))))
            })
            .collect();
        let initial: Vec<String> =
            linear.iter().filter_map(|(name, c)| Some(format!("{name} {:.1}", c.rc_at(0)?))).collect();
        findings.push(Finding {
            claim: "With a linear gate hidden states collapse along training",
            verdict: Verdict::of_all(linear.iter().map(|(_, collapsed)| movement(collapsed.change()) == "falls")),
            found: format!(
                "From the first third of the moments after a tenth of training to their last third {} (means over \
                layers; untrained: {}). It holds if it falls in all of them, and does not if in none.",
                list(&words),
                list(&initial),
            ),
            published: "RC of the linear gate falls steadily through pre-training (X-MoE, arXiv:2204.09179, \
            figure 2c; no table).",
            figure,
        });
    }
    if let (Some(cosine), Some(linear)) = (find(COSINE), find(TWIN)) {
        let [rc, other] = [cosine, linear].map(|collapsed| collapsed.mean(|layer| layer.rc));
        let [rank, other_rank] = [cosine, linear].map(|collapsed| collapsed.mean(|layer| layer.effective_rank));
        findings.push(Finding {
            claim: "A cosine gate keeps hidden states from collapsing",
            verdict: Verdict::of(rc > CHANGED * other && movement(cosine.change()) != "falls"),
            found: format!(
                "At the end the cosine gate has RC {rc:.1} and its linear twin {other:.1}; along training the \
                cosine gate's {}{}. Effective rank of the states: {rank:.1} and {other_rank:.1} of {} \
                dimensions.",
                movement(cosine.change()),
                cosine.change().map_or(String::new(), |(from, to)| format!(" ({from:.1} to {to:.1})")),
                cosine.dimensions,
            ),
            published: "X-MoE's RC is larger than the linear gate's and rises (figure 2c; no table).",
            figure: None,
        });
    }
    let each: Vec<String> = models
        .iter()
        .map(|of| {
            let result = &of.result;
            format!(
                "{} RC {:.1} ({:.1} with experts alike in weight), rank {:.1}",
                of.model,
                result.mean(|l| l.rc),
                result.mean(|l| l.rc_equal_classes),
                result.mean(|l| l.effective_rank)
            )
        })
        .collect();
    let notes = vec![format!("At the end, mean over layers: {}.", each.join("; "))];
    let method = format!(
        "RC, the trace of within-expert covariance times the inverse of between-expert covariance, classes \
        being first choices, states as they enter the gate: at the end over {} held-out tokens, along training \
        over {COLLAPSE_WINDOWS} windows of each kind of text. RC falls or rises from a factor of {CHANGED} on. Effective rank is exp \
        of the entropy of the covariance's eigenvalues.",
        first.tokens,
    );
    Ok(Some(Section { title: "Representation collapse", method, findings, notes, data: "collapse.json" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_movement_needs_a_tenth() {
        let check = |from, to, expected| assert_eq!(movement(Some((from, to))), expected);
        check(10.0, 8.0, "falls");
        check(10.0, 9.5, "stays");
        check(10.0, 10.5, "stays");
        check(10.0, 12.0, "rises");
        assert_eq!(movement(None), "is not known");
    }
}
