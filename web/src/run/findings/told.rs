//! What a token's id, the one before it, its position and its kind of text tell of the experts it asks: as a share of their
//! entropy, beyond what the same labels tell when they are shuffled, as docs/FINDINGS.md has it.

use moe_router::draws::SplitMix64;
use moe_router::measure::mutual_information;

use crate::run::experts::sample::Sample;

/// Shares, averaged over the layers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Told {
    pub num_tokens: usize,
    pub id: f64,
    pub before: f64,
    pub position: f64,
    /// `None` with one kind of text.
    pub kind: Option<f64>,
}

impl Told {
    /// Of tokens that have one before them; `None` where there is none.
    pub fn of(sample: &Sample) -> Option<Told> {
        let num_layers = sample.texts.first()?.scene.layers.len();
        let tokens: Vec<_> =
            sample.tokens().filter_map(|token| Some((token, sample.word_before(token)? as u32))).collect();
        if tokens.is_empty() || num_layers == 0 {
            return None;
        }
        let ids: Vec<u32> = tokens.iter().map(|(token, _)| token.word as u32).collect();
        let before: Vec<u32> = tokens.iter().map(|(_, before)| *before).collect();
        let positions: Vec<u32> = tokens.iter().map(|(token, _)| token.at as u32).collect();
        let kinds: Vec<u32> = tokens.iter().map(|(token, _)| token.kind as u32).collect();
        // Every expert that a token asks is a sample: `[layers]` of the experts, and of the tokens that ask them.
        let samples: Vec<(Vec<u32>, Vec<usize>)> = (0..num_layers)
            .map(|layer| {
                let of_token = |(number, (token, _)): (usize, &(crate::run::experts::sample::SampleToken, u32))| {
                    let requests = sample.texts[token.text].scene.layers[layer].of_token(token.at).iter();
                    let asked = requests.filter(|request| request.fate.is_demand());
                    asked.map(|request| (request.expert.0, number)).collect::<Vec<_>>()
                };
                tokens.iter().enumerate().flat_map(of_token).unzip()
            })
            .collect();
        let mean =
            |labels: &[u32]| samples.iter().map(|of_layer| told(of_layer, labels)).sum::<f64>() / num_layers as f64;
        Some(Told {
            num_tokens: tokens.len(),
            id: mean(&ids),
            before: mean(&before),
            position: mean(&positions),
            kind: (sample.kinds.len() > 1).then(|| mean(&kinds)),
        })
    }
}

/// In one layer.
fn told((experts, tokens): &(Vec<u32>, Vec<usize>), labels: &[u32]) -> f64 {
    let share = |labels: &[u32]| {
        let of_samples: Vec<u32> = tokens.iter().map(|&token| labels[token]).collect();
        mutual_information(experts, &of_samples).normalised()
    };
    let order = SplitMix64::new(1).permutation(labels.len());
    let shuffled: Vec<u32> = order.into_iter().map(|at| labels[at]).collect();
    let (found, by_chance) = (share(labels), share(&shuffled));
    let left = 1.0 - by_chance;
    if left > 0.0 { ((found - by_chance) / left).max(0.0) } else { 0.0 }
}
