//! What decides the expert (OpenMoE's context-independent specialisation, as mutual information): how much do token id,
//! position, domain and the id before say about it?

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use moe_router::draws::SplitMix64;
use moe_router::measure::{Information, conditional_information, mutual_information};
use serde::Serialize;

use super::chart::{Figure, Line, Panel, Scale, Stroke};
use super::estimate::mean;
use super::observe::Text;
use super::report::{Finding, Section, Verdict, list, percent, write_json};
use super::{Of, main_of};

/// Below this share of the entropy of experts a label says practically nothing, and two shares are alike.
const NOTHING: f64 = 0.01;

/// What one label says about the expert in one layer; shares are of the experts' whole entropy, whatever is known.
#[derive(Debug, Clone, Serialize)]
pub struct Said {
    label: &'static str,
    /// `none`, or a label that is known already.
    given: &'static str,
    /// Of the experts, nothing known; in nats, as are the next two.
    entropy: f64,
    plug_in: f64,
    miller_madow: f64,
    /// The plug-in estimate's share.
    share: f64,
    /// The same with the label shuffled among tokens: what chance would say.
    share_by_chance: f64,
}

impl Said {
    /// What is said beyond chance, as share of what chance leaves to be said.
    fn beyond_chance(&self) -> f64 {
        let left = 1.0 - self.share_by_chance;
        if left > 0.0 { ((self.share - self.share_by_chance) / left).max(0.0) } else { 0.0 }
    }
}

#[derive(Serialize)]
pub struct InformationOf {
    /// Tokens; every one of its experts is a sample.
    tokens: usize,
    experts_per_token: usize,
    /// `[layers][labels]`
    layers: Vec<Vec<Said>>,
}

/// `experts`: `[layers][tokens, k]`. The first token of every window is left out, since none stands before it.
pub fn measure(experts: &[Vec<u32>], k: usize, text: &Text) -> InformationOf {
    let (ids, positions, domains) = (text.ids(), text.positions(), text.domains());
    let tokens: Vec<usize> = (0..ids.len()).filter(|&token| positions[token] > 0).collect();
    let taken = |labels: &[u32]| tokens.iter().map(|&token| labels[token]).collect::<Vec<_>>();
    let before: Vec<u32> = tokens.iter().map(|&token| ids[token - 1]).collect();
    let (ids, positions, domains) = (taken(&ids), taken(&positions), taken(&domains));
    let asked: [(&str, &[u32], &str, &[u32]); 6] = [
        ("token id", &ids, "none", &[]),
        ("position", &positions, "none", &[]),
        ("kind of text", &domains, "none", &[]),
        ("id before", &before, "none", &[]),
        ("id before", &before, "token id", &ids),
        ("kind of text", &domains, "token id", &ids),
    ];
    let layers = experts.iter().map(|experts| {
        let chosen: Vec<u32> = tokens.iter().flat_map(|&token| &experts[token * k..(token + 1) * k]).copied().collect();
        let entropy = mutual_information(&chosen, &chosen).entropy_a;
        let share = |found: Information| if entropy > 0.0 { found.plug_in / entropy } else { 0.0 };
        let said = |(label, labels, given, known): (&'static str, &[u32], &'static str, &[u32])| {
            let spread = |labels: &[u32]| labels.iter().flat_map(|&label| vec![label; k]).collect::<Vec<_>>();
            let known = if known.is_empty() { vec![0; labels.len()] } else { known.to_vec() };
            let known_of_samples = spread(&known);
            let of = |labels: &[u32]| -> Information {
                match given {
                    "none" => mutual_information(&chosen, &spread(labels)),
                    _ => conditional_information(&chosen, &spread(labels), &known_of_samples),
                }
            };
            let (found, by_chance) = (of(labels), of(&shuffled(labels, &known)));
            Said {
                label,
                given,
                entropy,
                plug_in: found.plug_in,
                miller_madow: found.corrected,
                share: share(found),
                share_by_chance: share(by_chance),
            }
        };
        asked.map(said).to_vec()
    });
    InformationOf { tokens: tokens.len(), experts_per_token: k, layers: layers.collect() }
}

/// The labels in another order, each staying among tokens that share `known`.
fn shuffled(labels: &[u32], known: &[u32]) -> Vec<u32> {
    let mut places: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    known.iter().enumerate().for_each(|(at, known)| places.entry(*known).or_default().push(at));
    let mut random = SplitMix64::new(1);
    let mut shuffled = labels.to_vec();
    for places in places.values() {
        for (&to, from) in places.iter().zip(random.permutation(places.len())) {
            shuffled[to] = labels[places[from]];
        }
    }
    shuffled
}

impl InformationOf {
    /// Mean over layers of what a label says beyond chance.
    fn of(&self, label: &str, given: &str) -> f64 {
        mean(&self.by_layer(label, given).iter().map(|said| said.beyond_chance()).collect::<Vec<_>>())
    }

    /// Mean over layers of what all there is to know says. Who knows a token's k experts still does not know which of
    /// them a sample is, ln k.
    fn most(&self) -> f64 {
        let unknown = (self.experts_per_token as f64).ln();
        let of_layer = |said: &&Said| if said.entropy > 0.0 { (1.0 - unknown / said.entropy).max(0.0) } else { 0.0 };
        mean(&self.layers.iter().filter_map(|layer| layer.first()).map(|said| of_layer(&said)).collect::<Vec<_>>())
    }

    fn by_layer(&self, label: &str, given: &str) -> Vec<&Said> {
        self.layers.iter().flatten().filter(|said| said.label == label && said.given == given).collect()
    }

    fn lines(&self) -> Vec<Line> {
        let Some(first) = self.layers.first() else { return Vec::new() };
        let line = |(at, said): (usize, &Said)| {
            let of_layers = self.by_layer(said.label, said.given);
            let points = of_layers.iter().enumerate().map(|(l, said)| (l as f64, 100.0 * said.beyond_chance()));
            let name = if said.given == "none" { said.label.to_owned() } else { format!("{}, id known", said.label) };
            let stroke = if said.given == "none" { Stroke::Solid(at) } else { Stroke::Dashed(at) };
            Line { name, points: points.collect(), stroke }
        };
        first.iter().enumerate().map(line).collect()
    }
}

pub fn section(models: &[Of<InformationOf>], out: &Path) -> Result<Option<Section>> {
    let Some(Of { model, result: main }) = main_of(models) else { return Ok(None) };
    Figure {
        title: format!("What tells the expert of a token ({model})"),
        x: "layer".to_owned(),
        y: "of the experts' entropy, beyond chance (%)".to_owned(),
        scale: Scale::Linear,
        panels: vec![Panel { title: String::new(), lines: main.lines() }],
    }
    .write(&out.join("information.svg"))?;
    write_json(&out.join("information.json"), &models)?;

    let [id, position, domain, before] =
        ["token id", "position", "kind of text", "id before"].map(|label| main.of(label, "none"));
    let [context, domain_given] = ["id before", "kind of text"].map(|label| main.of(label, "token id"));
    let each = |label: &str, given: &str| {
        let words: Vec<String> = main
            .by_layer(label, given)
            .iter()
            .enumerate()
            .map(|(layer, said)| format!("layer {layer} {}", percent(said.beyond_chance())))
            .collect();
        list(&words)
    };
    let ids: Vec<f64> = main.by_layer("token id", "none").iter().map(|said| said.beyond_chance()).collect();
    let fall = ids.first().zip(ids.last()).map_or(0.0, |(first, last)| first - last);
    let most = main.most();
    let before_it = (most - id).max(0.0);
    let others: Vec<String> = models
        .iter()
        .filter(|of| of.model != *model)
        .map(|of| {
            let (id, most) = (of.result.of("token id", "none"), of.result.most());
            format!("{} {} of at most {}", of.model, percent(id), percent(most))
        })
        .collect();
    let notes = if others.is_empty() {
        vec![]
    } else {
        vec![format!("What the token id alone tells in other models: {}.", list(&others))]
    };
    let findings = vec![
        Finding {
            claim: "The token's id tells more about its expert than anything else",
            verdict: Verdict::of(id > position.max(domain).max(before)),
            found: format!(
                "In {model} the id tells {} of the experts' entropy (mean over layers, beyond chance), the kind \
                of text {}, the id before {}, the position {}.",
                percent(id),
                percent(domain),
                percent(before),
                percent(position),
            ),
            published: "OpenMoE calls routing context-independent: it follows the token's id (arXiv:2402.01739, \
            section 4); no mutual information is given.",
            figure: Some("information.svg"),
        },
        Finding {
            claim: "Position says practically nothing",
            verdict: Verdict::of(position < NOTHING),
            found: format!(
                "Beyond chance the position tells {}; \"nothing\" is below {}.",
                each("position", "none"),
                percent(NOTHING)
            ),
            published: "deviation of routing by position 0.0093 of at most 0.1210, by token id 0.0852 (OpenMoE, \
            appendix E).",
            figure: None,
        },
        Finding {
            claim: "Once the id is known, context adds little",
            verdict: Verdict::of(before_it < id / 2.0),
            found: format!(
                "All of the text up to a token decides its experts, which is {} of the entropy (which of a \
                token's experts a sample is, nothing tells). The id tells {}, so that what stands before \
                it tells the other {}; it adds little if that is less than half of what the id tells. The id \
                directly before, alone, adds {} to the id, the kind of text {} (means over layers; the id before \
                by layer: {}).",
                percent(most),
                percent(id),
                percent(before_it),
                percent(context),
                percent(domain_given),
                each("id before", "token id"),
            ),
            published: "none with numbers; OpenMoE shows experts by token id, whatever the context (figure 10).",
            figure: None,
        },
        Finding {
            claim: "Deeper layers look less at the id",
            verdict: Verdict::of_difference(fall, NOTHING),
            found: format!(
                "The id tells {} of the experts' entropy; first and last layer must differ by {}.",
                each("token id", "none"),
                percent(NOTHING)
            ),
            published: "none; the question is ours.",
            figure: None,
        },
    ];
    let method = format!(
        "Mutual information of expert and label over {} held-out tokens, every expert a token asks being a \
        sample, nobody turned away; as share of the experts' entropy, beyond the share that the same label says \
        when shuffled among tokens, as part of what that leaves (shuffled among tokens of the same id, where the \
        id is known: too little rather than too much is then left, as most pairs of ids are rare). Plug-in and Miller-Madow estimates are in the \
        data.",
        main.tokens,
    );
    Ok(Some(Section { title: "What decides the expert", method, findings, notes, data: "information.json" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_chance_is_a_share_of_what_chance_leaves() {
        let said = |share, share_by_chance| Said {
            label: "",
            given: "none",
            entropy: 2.0,
            plug_in: 0.0,
            miller_madow: 0.0,
            share,
            share_by_chance,
        };
        assert!((said(0.6, 0.2).beyond_chance() - 0.5).abs() < 1e-12);
        assert_eq!(said(1.0, 0.1).beyond_chance(), 1.0);
        assert_eq!(said(0.1, 0.2).beyond_chance(), 0.0);
        assert_eq!(said(1.0, 1.0).beyond_chance(), 0.0);
        let of = |k| InformationOf { tokens: 1, experts_per_token: k, layers: vec![vec![said(0.5, 0.0)]] };
        assert_eq!(of(1).most(), 1.0);
        assert!((of(2).most() - (1.0 - 2.0_f64.ln() / 2.0)).abs() < 1e-12);
    }

    #[test]
    fn shuffling_keeps_what_is_known() {
        let (labels, known) = ([1, 2, 3, 4, 5, 6, 7, 8], [0, 1, 0, 1, 0, 1, 0, 1]);
        let mut found = shuffled(&labels, &known);
        assert_ne!(found, labels);
        assert!(found.iter().zip(known).all(|(label, known)| label % 2 != known));
        found.sort_unstable();
        assert_eq!(found, labels);
    }
}
