//! Domain specialisation (OLMoE, arXiv:2409.02060, eq. 7): do experts prefer kinds of text?

use std::path::Path;

use anyhow::Result;
use moe_router::draws::SplitMix64;
use moe_router::measure::{domain_specialization, share_by_key};
use serde::Serialize;

use super::estimate::mean;
use super::heat::HeatMap;
use super::observe::Text;
use super::report::{Finding, Section, Verdict, list, percent, write_json};
use super::{Of, main_of};

/// Kinds of text use experts alike if their mean divergence is below this, in nats: shares then differ by less than
/// some 40 % from those of all text, since small divergences are an eighth of the squared relative difference.
const ALIKE: f64 = 0.02;

/// Shuffles of windows among domains that chance is estimated from.
const SHUFFLES: usize = 20;

/// An expert is far above chance if a domain asks it so many times as often as by chance.
const FAR_ABOVE: f64 = 2.0;

#[derive(Serialize)]
struct LayerDomains {
    /// `[domains][experts]`: share of the domain's tokens that ask the expert; `k / E` by chance.
    shares: Vec<Vec<f64>>,
    /// `[domains]`: Jensen-Shannon divergence from all domains together, nats.
    divergence: Vec<f64>,
    /// The largest that a domain had in any shuffle of windows among domains.
    divergence_by_chance: f64,
}

#[derive(Serialize)]
pub struct Domains {
    tokens: usize,
    domains: Vec<String>,
    chance: f64,
    layers: Vec<LayerDomains>,
}

/// `experts`: `[layers][tokens, k]`.
pub fn measure(experts: &[Vec<u32>], k: usize, num_experts: usize, text: &Text) -> Domains {
    let domains = text.domains();
    let mut random = SplitMix64::new(1);
    let shuffles: Vec<Vec<u32>> = (0..SHUFFLES)
        .map(|_| {
            let order = random.permutation(text.num_windows());
            text.label(|window| text.domain_of_window[order[window]] as u32)
        })
        .collect();
    let layers = experts.iter().map(|experts| {
        let shares = share_by_key(experts, &domains, num_experts, 1);
        let largest =
            |domains: &Vec<u32>| domain_specialization(experts, domains, num_experts).into_values().fold(0.0, f64::max);
        LayerDomains {
            shares: shares.into_values().map(|s| s.into_iter().map(|share| share * k as f64).collect()).collect(),
            divergence: domain_specialization(experts, &domains, num_experts).into_values().collect(),
            divergence_by_chance: shuffles.iter().map(largest).fold(0.0, f64::max),
        }
    });
    Domains {
        tokens: domains.len(),
        domains: text.domains.clone(),
        chance: k as f64 / num_experts as f64,
        layers: layers.collect(),
    }
}

impl Domains {
    /// Layer, domain, expert and share of the strongest preference.
    fn strongest(&self) -> (usize, usize, usize, f64) {
        let mut strongest = (0, 0, 0, 0.0);
        for (layer, of_layer) in self.layers.iter().enumerate() {
            for (domain, shares) in of_layer.shares.iter().enumerate() {
                for (expert, &share) in shares.iter().enumerate() {
                    if share > strongest.3 {
                        strongest = (layer, domain, expert, share);
                    }
                }
            }
        }
        strongest
    }

    /// Mean over domains and layers, nats.
    pub fn divergence(&self) -> f64 {
        mean(&self.divergences().into_iter().map(|(_, divergence)| divergence).collect::<Vec<_>>())
    }

    /// The largest of any domain and layer where windows are shuffled among domains, nats.
    pub fn divergence_by_chance(&self) -> f64 {
        self.layers.iter().map(|layer| layer.divergence_by_chance).fold(0.0, f64::max)
    }

    /// The largest share of a domain's tokens that ask one expert, as a multiple of chance.
    pub fn strongest_over_chance(&self) -> f64 {
        self.strongest().3 / self.chance
    }

    /// Mean over layers, by domain.
    fn divergences(&self) -> Vec<(String, f64)> {
        let of = |domain: usize| mean(&self.layers.iter().map(|layer| layer.divergence[domain]).collect::<Vec<_>>());
        let mut all: Vec<(String, f64)> =
            self.domains.iter().enumerate().map(|(at, name)| (name.clone(), of(at))).collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        all
    }
}

/// Jensen-Shannon divergence of one of `count` equal kinds of text from all together, nats, where no kind shares an
/// expert with another.
fn largest_divergence(count: usize) -> f64 {
    let n = count.max(1) as f64;
    let of_kind = (2.0 * n / (n + 1.0)).ln();
    let of_all = (2.0 / (n + 1.0)).ln() / n + (n - 1.0) / n * std::f64::consts::LN_2;
    (of_kind + of_all) / 2.0
}

pub fn section(models: &[Of<Domains>], out: &Path) -> Result<Option<Section>> {
    let Some(Of { model, result: main }) = main_of(models) else { return Ok(None) };
    let percents = |layer: &LayerDomains| {
        layer.shares.iter().map(|shares| shares.iter().map(|share| 100.0 * share).collect()).collect()
    };
    HeatMap {
        title: format!(
            "Share of a text's tokens that ask an expert, in % ({model}; even: {:.0} %)",
            100.0 * main.chance
        ),
        rows: main.domains.clone(),
        columns: "experts".to_owned(),
        even: 100.0 * main.chance,
        tables: main.layers.iter().enumerate().map(|(at, l)| (format!("layer {at}"), percents(l))).collect(),
    }
    .write(&out.join("domains.svg"))?;
    write_json(&out.join("domains.json"), &models)?;

    let divergences = main.divergences();
    let (overall, by_chance) = (main.divergence(), main.divergence_by_chance());
    let cells: Vec<f64> = main.layers.iter().flat_map(|layer| &layer.shares).flatten().copied().collect();
    let far = cells.iter().filter(|share| **share >= FAR_ABOVE * main.chance).count();
    let (layer, domain, expert, share) = main.strongest();
    let each: Vec<String> = divergences.iter().map(|(name, divergence)| format!("{name} {divergence:.3}")).collect();
    let others: Vec<String> = models
        .iter()
        .filter(|of| of.model != *model)
        .map(|of| format!("{} {:.3}", of.model, of.result.divergence()))
        .collect();
    let notes =
        if others.is_empty() { vec![] } else { vec![format!("Mean divergence in other models: {}.", list(&others))] };
    let findings = vec![
        Finding {
            claim: "Experts are used alike by all kinds of text",
            verdict: Verdict::of(overall < ALIKE),
            found: format!(
                "In {model} the divergence of a kind of text from all together is {overall:.3} nats (mean; it \
                holds below {ALIKE}, and {:.3} is the most there can be), where windows shuffled among kinds \
                reach {by_chance:.3} at most; by kind {}. One of them, {}, is text that only the tuned model was \
                trained on.",
                largest_divergence(main.domains.len()),
                each.join(", "),
                super::UNSEEN,
            ),
            published: "nearly even over RedPajama's subsets in OpenMoE (arXiv:2402.01739, section 4) and over \
            domains in Mixtral (arXiv:2401.04088, section 5); our kinds of text differ more than those.",
            figure: Some("domains.svg"),
        },
        Finding {
            claim: "Some experts are asked far above chance by one kind of text",
            verdict: Verdict::of(far > 0),
            found: format!(
                "{far} of {} shares of an expert in a kind of text and layer are at least {FAR_ABOVE} times \
                chance ({}); the largest: {} of the tokens of {} ask expert {} in layer {layer}.",
                cells.len(),
                percent(main.chance),
                percent(share),
                main.domains.get(domain).map_or("", String::as_str),
                expert + 1,
            ),
            published: "many experts far above chance, one of layer 0 near 100 % for arXiv (OLMoE, section 5).",
            figure: None,
        },
    ];
    let method = format!(
        "Share of the tokens of each kind of text that ask an expert, over {} held-out tokens, the same number \
        of each kind, nobody turned away. Layers count from 0, experts from 1 as in the figure.",
        main.tokens,
    );
    Ok(Some(Section { title: "Experts and kinds of text", method, findings, notes, data: "domains.json" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_divergence_is_that_of_kinds_with_an_expert_each() {
        let experts: Vec<u32> = (0..700).map(|token| token % 7).collect();
        let found = domain_specialization(&experts, &experts, 7);
        for divergence in found.into_values() {
            assert!((divergence - largest_divergence(7)).abs() < 1e-9, "{divergence}");
        }
    }
}
