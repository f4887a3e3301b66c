//! Temporal locality (Mixtral, arXiv:2401.04088, table 5): do neighbouring tokens share experts?

use std::path::Path;

use anyhow::Result;
use moe_router::draws::SplitMix64;
use moe_router::measure::consecutive_repeats;
use serde::Serialize;

use super::chart::{Figure, Line, Panel, Scale, Stroke};
use super::observe::Text;
use super::report::{Finding, Section, Verdict, list, percent, write_json};
use super::{Of, main_of};

/// Neighbours share far more from so many times chance on.
const FAR_ABOVE: f64 = 1.5;

/// Shares that differ by less are alike.
const DIFFERENT: f64 = 0.01;

#[derive(Serialize)]
struct LayerLocality {
    first: f64,
    any: f64,
    /// Of tokens in another order within their window: what the text's own preference for experts gives.
    first_shuffled: f64,
    any_shuffled: f64,
    /// `[domains]`
    first_by_domain: Vec<f64>,
}

#[derive(Serialize)]
pub struct Locality {
    pairs: usize,
    first_by_chance: f64,
    any_by_chance: f64,
    domains: Vec<String>,
    layers: Vec<LayerLocality>,
}

/// `experts`: `[layers][tokens, k]`.
pub fn measure(experts: &[Vec<u32>], k: usize, num_experts: usize, text: &Text) -> Locality {
    let windows = text.windows();
    let (mut random, width) = (SplitMix64::new(1), text.num_tokens);
    let order: Vec<usize> = (0..text.num_windows())
        .flat_map(|window| random.permutation(width).into_iter().map(move |at| window * width + at))
        .collect();
    let layers = experts.iter().map(|experts| {
        let of_token = |token: usize| &experts[token * k..(token + 1) * k];
        let shuffled: Vec<u32> = order.iter().flat_map(|&token| of_token(token)).copied().collect();
        let of_domain = |domain: usize| {
            let (mut chosen, mut sequence) = (Vec::new(), Vec::new());
            for token in (0..windows.len()).filter(|token| text.domain_of_window[token / width] == domain) {
                chosen.extend_from_slice(of_token(token));
                sequence.push(windows[token]);
            }
            consecutive_repeats(&chosen, k, &sequence).first
        };
        let (found, by_chance) =
            (consecutive_repeats(experts, k, &windows), consecutive_repeats(&shuffled, k, &windows));
        LayerLocality {
            first: found.first,
            any: found.any,
            first_shuffled: by_chance.first,
            any_shuffled: by_chance.any,
            first_by_domain: (0..text.domains.len()).map(of_domain).collect(),
        }
    });
    Locality {
        pairs: text.num_windows() * (width - 1),
        first_by_chance: 1.0 / num_experts as f64,
        any_by_chance: any_by_chance(k, num_experts),
        domains: text.domains.clone(),
        layers: layers.collect(),
    }
}

/// `1 - C(E-k, k) / C(E, k)`.
fn any_by_chance(k: usize, num_experts: usize) -> f64 {
    let none: f64 = (0..k).map(|at| num_experts.saturating_sub(k + at) as f64 / (num_experts - at) as f64).product();
    1.0 - none
}

impl Locality {
    fn line(&self, name: &str, of: impl Fn(&LayerLocality) -> f64, stroke: Stroke) -> Line {
        let points = self.layers.iter().enumerate().map(|(at, layer)| (at as f64, 100.0 * of(layer))).collect();
        Line { name: name.to_owned(), points, stroke }
    }
}

pub fn section(models: &[Of<Locality>], out: &Path) -> Result<Option<Section>> {
    let Some(Of { model, result: main }) = main_of(models) else { return Ok(None) };
    Figure {
        title: format!("Neighbouring tokens that share experts ({model})"),
        x: "layer".to_owned(),
        y: "of neighbours (%)".to_owned(),
        scale: Scale::Linear,
        panels: vec![Panel {
            title: String::new(),
            lines: vec![
                main.line("same first choice", |layer| layer.first, Stroke::Solid(0)),
                main.line("the same, tokens shuffled", |layer| layer.first_shuffled, Stroke::Dashed(0)),
                main.line("any expert in common", |layer| layer.any, Stroke::Solid(1)),
                main.line("in common, tokens shuffled", |layer| layer.any_shuffled, Stroke::Dashed(1)),
                main.line("by chance, same first", |_| main.first_by_chance, Stroke::Level),
                main.line("by chance, any", |_| main.any_by_chance, Stroke::Level),
            ],
        }],
    }
    .write(&out.join("locality.svg"))?;
    write_json(&out.join("locality.json"), &models)?;

    let each = |of: &dyn Fn(&LayerLocality) -> f64| {
        let words: Vec<String> =
            main.layers.iter().enumerate().map(|(at, layer)| format!("layer {at} {}", percent(of(layer)))).collect();
        list(&words)
    };
    let middle = &main.layers[1.min(main.layers.len())..main.layers.len().saturating_sub(1).max(1)];
    let far_above = middle.iter().map(|layer| layer.first > FAR_ABOVE * main.first_by_chance);
    let by_order = main.layers.iter().map(|layer| layer.first - layer.first_shuffled);
    let findings = vec![
        Finding {
            claim: "In middle layers neighbours share their first choice far more often than by chance",
            verdict: Verdict::of_all(far_above),
            found: format!(
                "In {model}: {} (chance {}; all layers but the first and the last decide, from {FAR_ABOVE} times chance on); at least one \
                expert in common: {} (chance {}).",
                each(&|layer| layer.first),
                percent(main.first_by_chance),
                each(&|layer| layer.any),
                percent(main.any_by_chance),
            ),
            published: "Mixtral-8x7B: same first choice 14 to 15 % in layer 0, 24 to 28 % in layer 15, chance \
            12.5 %; any in common 45 to 50 % and 62 to 67 %, chance 46 % (arXiv:2401.04088, table 5).",
            figure: Some("locality.svg"),
        },
        Finding {
            claim: "It is the order of the tokens, not only what the text is about",
            verdict: Verdict::of_all(by_order.clone().map(|more| more > DIFFERENT)),
            found: format!(
                "With the tokens of each window shuffled the same first choice repeats less often, by {} and more, \
                in {} of {} layers: {}.",
                percent(DIFFERENT),
                by_order.filter(|more| *more > DIFFERENT).count(),
                main.layers.len(),
                each(&|layer| layer.first_shuffled),
            ),
            published: "none; the comparison with shuffled text is ours.",
            figure: None,
        },
    ];
    let method = format!("{} pairs of neighbouring held-out tokens, nobody turned away.", main.pairs);
    Ok(Some(Section {
        title: "Do neighbours share experts",
        method,
        findings,
        notes: Vec::new(),
        data: "locality.json",
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_of_an_expert_in_common() {
        // 1 - (6 · 5) / (8 · 7) = 26 / 56.
        assert!((any_by_chance(2, 8) - 26.0 / 56.0).abs() < 1e-12);
        assert_eq!(any_by_chance(1, 4), 0.25);
        assert_eq!(any_by_chance(3, 4), 1.0);
    }
}
