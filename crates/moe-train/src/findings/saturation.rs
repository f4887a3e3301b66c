//! Early routing learning (OLMoE, arXiv:2409.02060, section 5; X-MoE, arXiv:2204.09179, section 4.4): how soon in
//! training is a token's expert the one it ends with?

use std::path::Path;

use anyhow::Result;
use moe_router::measure::{first_choice_agreement, router_saturation, routing_fluctuation};
use serde::Serialize;

use super::chart::{Figure, Line, Panel, Scale, Stroke};
use super::estimate::mean;
use super::report::{Finding, Section, Verdict, list, percent, write_json};
use super::{Of, TWIN, main_of};
use moe_model::history::Moment;

/// Shares that differ by less are alike.
const DIFFERENT: f64 = 0.01;

/// All lists by layer are `[layers][moments]`.
#[derive(Serialize)]
pub struct Saturation {
    probe_tokens: usize,
    /// `[moments]`
    steps: Vec<usize>,
    chance_saturation: f64,
    chance_agreement: f64,
    /// Share of a token's experts that are among its last ones.
    saturation: Vec<Vec<f64>>,
    /// Share of tokens whose first choice is the last one.
    agreement: Vec<Vec<f64>>,
    /// Share of tokens whose first choice changed since the moment before; 0 at the first.
    fluctuation: Vec<Vec<f64>>,
}

/// `None` for fewer than two moments, or where some tokens ask more experts than others.
pub fn measure(moments: &[Moment], num_experts: usize) -> Option<Saturation> {
    let last = moments.last().filter(|_| moments.len() > 1)?;
    let k = last.choices.first()?.first()?.len();
    let flat = |moment: &Moment, layer: usize| moment.choices.get(layer).map(|tokens| tokens.concat());
    let asks_k = |moment: &Moment| moment.choices.iter().flatten().all(|experts| experts.len() == k);
    if k == 0 || !moments.iter().all(asks_k) {
        return None;
    }
    let mut found = Saturation {
        probe_tokens: last.choices[0].len(),
        steps: moments.iter().map(|moment| moment.step).collect(),
        chance_saturation: k as f64 / num_experts as f64,
        chance_agreement: 1.0 / num_experts as f64,
        saturation: Vec::new(),
        agreement: Vec::new(),
        fluctuation: Vec::new(),
    };
    for layer in 0..last.choices.len() {
        let of_layer: Vec<Vec<u32>> = moments.iter().map(|moment| flat(moment, layer)).collect::<Option<_>>()?;
        let end = of_layer.last()?;
        found.saturation.push(of_layer.iter().map(|now| router_saturation(now, end, k)).collect());
        found.agreement.push(of_layer.iter().map(|now| first_choice_agreement(now, end, k)).collect());
        let changed = of_layer.windows(2).map(|pair| routing_fluctuation(&pair[1], &pair[0], k));
        found.fluctuation.push([0.0].into_iter().chain(changed).collect());
    }
    Some(found)
}

impl Saturation {
    /// The moment nearest to a share of training.
    fn at(&self, share: f64) -> usize {
        let target = share * self.steps.last().copied().unwrap_or(0) as f64;
        let distance = |step: usize| (step as f64 - target).abs();
        let nearest = self.steps.iter().enumerate().min_by(|a, b| distance(*a.1).total_cmp(&distance(*b.1)));
        nearest.map_or(0, |(at, _)| at)
    }

    fn mean_at(&self, share: f64) -> f64 {
        let at = self.at(share);
        mean(&self.saturation.iter().map(|layer| layer[at]).collect::<Vec<_>>())
    }

    /// Mean over training's moments, by layer: the later a layer settles, the smaller.
    fn mean_by_layer(&self) -> Vec<f64> {
        self.saturation.iter().map(|layer| mean(layer)).collect()
    }

    /// Mean over layers and over the moments after a part of training.
    fn fluctuation_from(&self, part: f64) -> f64 {
        let from = self.at(part) + 1;
        mean(&self.fluctuation.iter().flat_map(|layer| layer.iter().skip(from)).copied().collect::<Vec<_>>())
    }

    fn panel(&self, title: String, values: &[Vec<f64>], chance: f64) -> Panel {
        let end = self.steps.last().copied().unwrap_or(0).max(1) as f64;
        let share = |step: usize| 100.0 * step as f64 / end;
        let of_layer = |(layer, values): (usize, &Vec<f64>)| Line {
            name: format!("layer {layer}"),
            points: self.steps.iter().zip(values).map(|(&step, value)| (share(step), 100.0 * value)).collect(),
            stroke: Stroke::Solid(layer),
        };
        let mut lines: Vec<Line> = values.iter().enumerate().map(of_layer).collect();
        let points = vec![(0.0, 100.0 * chance), (100.0, 100.0 * chance)];
        lines.push(Line { name: "by chance".to_owned(), points, stroke: Stroke::Level });
        Panel { title, lines }
    }
}

pub fn section(models: &[Of<Saturation>], out: &Path) -> Result<Option<Section>> {
    let Some(Of { model, result: main }) = main_of(models) else { return Ok(None) };
    let figure = |title: String, panels| Figure {
        title,
        x: "part of training (%)".to_owned(),
        y: "same as at the end (%)".to_owned(),
        scale: Scale::Linear,
        panels,
    };
    let panel =
        |of: &Of<Saturation>| of.result.panel(of.model.clone(), &of.result.saturation, of.result.chance_saturation);
    figure(
        format!("How much of the last routing is already there ({model})"),
        vec![
            main.panel("a token's experts".to_owned(), &main.saturation, main.chance_saturation),
            main.panel("its first choice".to_owned(), &main.agreement, main.chance_agreement),
        ],
    )
    .write(&out.join("saturation.svg"))?;
    let figure_of_all = (models.len() > 1).then_some("saturation-by-model.svg");
    if let Some(name) = figure_of_all {
        let title = "How much of the last routing is already there, a token's experts".to_owned();
        figure(title, models.iter().map(panel).collect()).write(&out.join(name))?;
    }
    write_json(&out.join("saturation.json"), &models)?;

    let halfway = (1.0 + main.chance_saturation) / 2.0;
    let [early, tenth, later] = [0.01, 0.1, 0.4].map(|share| main.mean_at(share));
    let step_at = |share| main.steps[main.at(share)];
    let by_layer = main.mean_by_layer();
    let others_slowest = by_layer.iter().skip(1).copied().fold(f64::INFINITY, f64::min);
    let first_is_behind = by_layer.first().map_or(0.0, |first| others_slowest - first);
    let each: Vec<String> = by_layer.iter().enumerate().map(|(at, s)| format!("layer {at} {}", percent(*s))).collect();
    let late_change =
        |of: &Saturation| mean(&of.fluctuation.iter().filter_map(|l| l.last().copied()).collect::<Vec<_>>());
    let others: Vec<String> = models
        .iter()
        .map(|of| {
            format!(
                "{} {} at 10 % and {} at 40 %",
                of.model,
                percent(of.result.mean_at(0.1)),
                percent(of.result.mean_at(0.4))
            )
        })
        .collect();
    let mut findings = vec![
        Finding {
            claim: "After 1 % of training more than half of the routing is decided",
            verdict: Verdict::of(early > halfway),
            found: format!(
                "After step {} of {} a token of {model} already has {} of its last experts (mean over layers; \
                chance {}, half of the way {}).",
                step_at(0.01),
                main.steps.last().copied().unwrap_or(0),
                percent(early),
                percent(main.chance_saturation),
                percent(halfway),
            ),
            published: "up to about 60 % of the top-8 of 64 after 1 % of pre-training, chance 12.5 % (OLMoE, \
            arXiv:2409.02060, section 5). One per cent of that training is longer than all of ours.",
            figure: Some("saturation.svg"),
        },
        Finding {
            claim: "After 40 % of training four fifths of the routing are decided",
            verdict: Verdict::of(later >= 0.8),
            found: format!(
                "A token of {model} has {} of its last experts after step {} and {} after step {}; from the \
                last moment but one to the last {} of the first choices still change.",
                percent(tenth),
                step_at(0.1),
                percent(later),
                step_at(0.4),
                percent(late_change(main)),
            ),
            published: "about 80 % after 40 % of pre-training (OLMoE, section 5).",
            figure: figure_of_all,
        },
        Finding {
            claim: "The first layer settles last",
            verdict: Verdict::of_difference(first_is_behind, DIFFERENT),
            found: format!(
                "Mean over all moments: {}; the first must differ from the slowest other by {}.",
                each.join(", "),
                percent(DIFFERENT)
            ),
            published: "layer 0 is the slowest, later layers are earlier (OLMoE, section 5).",
            figure: None,
        },
    ];
    let find = |name: &str| models.iter().find(|of| of.model == name).map(|of| &of.result);
    if let (Some(cosine), Some(linear)) = (find("cosine"), find(TWIN)) {
        let parts = [0.1, 0.25, 0.5];
        let of = |part| [cosine, linear].map(|of| of.fluctuation_from(part));
        let verdicts = parts.map(|part| {
            let [of_cosine, of_linear] = of(part);
            Verdict::of_difference(of_linear - of_cosine, DIFFERENT)
        });
        let words = parts.map(|part| {
            let [of_cosine, of_linear] = of(part);
            format!("{} and {} from {} on", percent(of_cosine), percent(of_linear), percent(part))
        });
        findings.push(Finding {
            claim: "A cosine gate changes fewer first choices along training than a linear one",
            verdict: if verdicts.iter().all(|verdict| *verdict == verdicts[0]) { verdicts[0] } else { Verdict::Open },
            found: format!(
                "From one moment to the next first choices of cosine and of its linear twin {TWIN} change by {} of \
                training (mean over moments and layers); all three must differ by {}, and the same way.",
                list(&words),
                percent(DIFFERENT),
            ),
            published: "X-MoE's routing fluctuation is lower than the linear gate's after 15 000 steps \
            (arXiv:2204.09179, section 4.4; no table).",
            figure: None,
        });
    }
    let notes = vec![format!("Of its last experts a token already has, mean over layers: {}.", others.join("; "))];
    let method = format!(
        "At {} moments of training, close together at first, the same {} held-out tokens are routed with nobody \
        turned away and compared with the last moment.",
        main.steps.len(),
        main.probe_tokens,
    );
    Ok(Some(Section { title: "When routing was learned", method, findings, notes, data: "saturation.json" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(step: usize, experts: [[u32; 2]; 2]) -> Moment {
        let choices = vec![experts.iter().map(|of_token| of_token.to_vec()).collect()];
        Moment { step, gates: Vec::new(), choices, collapse: vec![0.0] }
    }

    #[test]
    fn two_tokens_over_three_moments() {
        let moments = [moment(0, [[0, 1], [2, 3]]), moment(10, [[1, 0], [2, 0]]), moment(100, [[1, 2], [2, 0]])];
        let found = measure(&moments, 4).expect("two experts for all");
        assert_eq!(found.saturation, [vec![0.5, 0.75, 1.0]]);
        assert_eq!(found.agreement, [vec![0.5, 1.0, 1.0]]);
        assert_eq!(found.fluctuation, [vec![0.0, 0.5, 0.0]]);
        assert_eq!((found.chance_saturation, found.at(0.04), found.at(0.2), found.at(0.9)), (0.5, 0, 1, 2));
        assert!(measure(&moments[..1], 4).is_none());
        let mut uneven = moments;
        uneven[0].choices[0][1].pop();
        assert!(measure(&uneven, 4).is_none());
    }
}
