//! Routing-decision standard deviation (OpenMoE, arXiv:2402.01739, appendix E): how far is the routing of one token id,
//! or of one position, from even?

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use moe_router::draws::SplitMix64;
use moe_router::measure::{routing_deviation, routing_deviation_bound, share_by_key};
use serde::Serialize;

use super::chart::{Figure, Line, Panel, Scale, Stroke};
use super::estimate::mean;
use super::observe::Text;
use super::report::{Finding, Section, Verdict, list, percent, write_json};
use super::{Of, main_of};

/// Occurrences that an id or position needs, as in the paper.
const AT_LEAST: usize = 128;

/// The layer of the published figures, counted from 0.
const LAYER: usize = 2;

/// Of one kind of key in one layer.
#[derive(Serialize)]
struct Spread {
    keys: usize,
    mean: f64,
    /// The mean over the upper bound.
    normalised: f64,
    /// The same with keys shuffled among tokens: what small samples alone would give.
    normalised_by_chance: f64,
    /// Key, how often it occurs, deviation.
    #[serde(skip)]
    points: Vec<(u32, usize, f64)>,
}

#[derive(Serialize)]
struct LayerSpread {
    by_id: Spread,
    by_position: Spread,
}

#[derive(Serialize)]
pub struct Spreads {
    tokens: usize,
    /// Deviation of a key whose tokens all go to the same experts.
    bound: f64,
    layers: Vec<LayerSpread>,
}

/// `experts`: `[layers][tokens, k]`.
pub fn measure(experts: &[Vec<u32>], k: usize, num_experts: usize, text: &Text) -> Spreads {
    let bound = routing_deviation_bound(k, num_experts);
    let (ids, positions) = (text.ids(), text.positions());
    let spread = |experts: &[u32], keys: &[u32]| {
        let deviations = |keys: &[u32]| -> Vec<(u32, f64)> {
            let shares = share_by_key(experts, keys, num_experts, AT_LEAST);
            shares.iter().map(|(key, shares)| (*key, routing_deviation(shares))).collect()
        };
        let mean_of = |found: &[(u32, f64)]| mean(&found.iter().map(|(_, deviation)| *deviation).collect::<Vec<_>>());
        let order = SplitMix64::new(1).permutation(keys.len());
        let shuffled: Vec<u32> = order.into_iter().map(|at| keys[at]).collect();
        let (found, by_chance) = (deviations(keys), deviations(&shuffled));
        let mut count: BTreeMap<u32, usize> = BTreeMap::new();
        keys.iter().for_each(|key| *count.entry(*key).or_default() += 1);
        Spread {
            keys: found.len(),
            mean: mean_of(&found),
            normalised: mean_of(&found) / bound,
            normalised_by_chance: mean_of(&by_chance) / bound,
            points: found.into_iter().map(|(key, deviation)| (key, count[&key], deviation)).collect(),
        }
    };
    let layers = experts
        .iter()
        .map(|experts| LayerSpread { by_id: spread(experts, &ids), by_position: spread(experts, &positions) });
    Spreads { tokens: ids.len(), bound, layers: layers.collect() }
}

/// A point per key: by how often it occurs for ids, by place for positions.
fn panel(title: String, spread: &Spread, bound: f64, mut points: Vec<(f64, f64)>) -> Panel {
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let ends = [0.0, points.last().map_or(1.0, |point| point.0)];
    let level = |y: f64| ends.map(|x| (x, y)).to_vec();
    let lines = vec![
        Line { name: "one id or position".to_owned(), points, stroke: Stroke::Dots(0) },
        Line { name: "mean".to_owned(), points: level(spread.mean), stroke: Stroke::Solid(1) },
        Line {
            name: "mean by chance".to_owned(),
            points: level(spread.normalised_by_chance * bound),
            stroke: Stroke::Dashed(2),
        },
        Line { name: "always the same experts".to_owned(), points: level(bound), stroke: Stroke::Level },
    ];
    Panel { title, lines }
}

pub fn section(models: &[Of<Spreads>], out: &Path) -> Result<Option<Section>> {
    let Some(Of { model, result: main }) = main_of(models) else { return Ok(None) };
    let Some(shown) = main.layers.get(LAYER).or(main.layers.last()) else { return Ok(None) };
    let layer = LAYER.min(main.layers.len() - 1);
    if shown.by_id.keys == 0 || shown.by_position.keys == 0 {
        // Too little text for keys that occur often enough.
        return Ok(None);
    }
    let mut by_count = shown.by_id.points.clone();
    by_count.sort_by_key(|(id, count, _)| (std::cmp::Reverse(*count), *id));
    let ids = by_count.iter().enumerate().map(|(rank, (_, _, deviation))| (rank as f64, *deviation));
    let positions = shown.by_position.points.iter().map(|(position, _, deviation)| (f64::from(*position), *deviation));
    Figure {
        title: format!("How far routing is from even ({model}, layer {layer})"),
        x: "rank by frequency; position (tokens)".to_owned(),
        y: "deviation over experts".to_owned(),
        scale: Scale::Linear,
        panels: vec![
            panel("by token id".to_owned(), &shown.by_id, main.bound, ids.collect()),
            panel("by position".to_owned(), &shown.by_position, main.bound, positions.collect()),
        ],
    }
    .write(&out.join("spread.svg"))?;
    write_json(&out.join("spread.json"), &models)?;

    let of_layer = |(at, layer): (usize, &LayerSpread)| {
        format!(
            "layer {at} {} by id and {} by position",
            percent(layer.by_id.normalised),
            percent(layer.by_position.normalised)
        )
    };
    let each: Vec<String> = main.layers.iter().enumerate().map(of_layer).collect();
    let ratio = shown.by_id.normalised / shown.by_position.normalised.max(1e-9);
    let others: Vec<String> = models
        .iter()
        .filter(|of| of.model != *model)
        .filter_map(|of| Some((of, of.result.layers.get(LAYER).or(of.result.layers.last())?)))
        .map(|(of, shown)| {
            format!(
                "{} {} by id, {} by position",
                of.model,
                percent(shown.by_id.normalised),
                percent(shown.by_position.normalised)
            )
        })
        .collect();
    let notes =
        if others.is_empty() { vec![] } else { vec![format!("Other models, same layer: {}.", others.join("; "))] };
    let findings = vec![
        Finding {
            claim: "The routing of a token id is far from even, that of a position is not",
            verdict: Verdict::of(ratio > 2.0 && shown.by_position.normalised < 0.2),
            found: format!(
                "In layer {layer} of {model} the mean deviation of an id is {:.4} of at most {:.4} ({}; by \
                chance {}), that of a position {:.4} ({}; by chance {}): {ratio:.1} times as much. It holds \
                from twice on, with positions below 20 % of the bound.",
                shown.by_id.mean,
                main.bound,
                percent(shown.by_id.normalised),
                percent(shown.by_id.normalised_by_chance),
                shown.by_position.mean,
                percent(shown.by_position.normalised),
                percent(shown.by_position.normalised_by_chance),
            ),
            published: "third layer of OpenMoE-8B/32E: ids 0.0852, positions 0.0093, bound 0.1210, that is 70 % \
            and 8 % of the bound (arXiv:2402.01739, appendix E).",
            figure: Some("spread.svg"),
        },
        Finding {
            claim: "Ids decide as much in every layer as in OpenMoE's third",
            verdict: Verdict::of(main.layers.iter().all(|layer| layer.by_id.normalised >= 0.7)),
            found: format!("Of the bound: {}.", list(&each)),
            published: "70 % for ids, 8 % for positions, one layer only (OpenMoE, appendix E).",
            figure: None,
        },
    ];
    let method = format!(
        "Standard deviation over experts of the share of an id's (or position's) requests that go to each, over \
        {} held-out tokens, for the {} ids with at least {AT_LEAST} occurrences and {} positions, nobody turned \
        away; 0 is even, the bound means always the same experts.",
        main.tokens, shown.by_id.keys, shown.by_position.keys,
    );
    Ok(Some(Section { title: "Routing by token id and by position", method, findings, notes, data: "spread.json" }))
}
