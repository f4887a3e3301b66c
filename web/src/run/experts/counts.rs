//! Plain counts of who asks whom in a layer, in each half of a sample.

use moe_router::gate::{softmax, sorted};
use moe_router::measure::{KeyCounts, LnFactorials, benjamini_hochberg};
use moe_trace::ExpertIdx;

use crate::run::experts::sample::Sample;
use crate::run::experts::{Expert, Partner};

/// Partners of an expert that are named.
const PARTNERS: usize = 3;

/// Everything that is counted in a layer.
pub struct Counts {
    pub tokens: [Half; 2],
    pub kinds: [Half; 2],
    /// `[experts]`: tokens that it served; the sum of its gate probability over all tokens; leads of its logit.
    served: Vec<usize>,
    mass: Option<Vec<f64>>,
    leads: Vec<Vec<f64>>,
    /// `[experts, experts]`: tokens that ask both.
    together: Vec<usize>,
    num_tokens: usize,
}

/// One half of the sample, by word or by kind of text.
#[derive(Clone)]
pub struct Half {
    num_tokens: usize,
    /// `[experts]` and `[keys]`, and `[experts, keys]` of tokens that ask the expert and have the key.
    pub asked: Vec<usize>,
    pub of_key: Vec<usize>,
    both: Vec<usize>,
}

impl Half {
    fn new(num_experts: usize, num_keys: usize) -> Half {
        let both = vec![0; num_experts * num_keys];
        Half { num_tokens: 0, asked: vec![0; num_experts], of_key: vec![0; num_keys], both }
    }

    fn add(&mut self, key: usize, asked: &[usize]) {
        self.num_tokens += 1;
        self.of_key[key] += 1;
        for &expert in asked {
            self.asked[expert] += 1;
            self.both[expert * self.of_key.len() + key] += 1;
        }
    }

    pub fn counts(&self, expert: usize, key: usize) -> KeyCounts {
        KeyCounts {
            tokens: self.num_tokens,
            asked: self.asked[expert],
            of_key: self.of_key[key],
            both: self.both[expert * self.of_key.len() + key],
        }
    }

    /// False-discovery rates of these experts with these keys, all together.
    pub fn rates(&self, pairs: impl Iterator<Item = (usize, usize)>) -> Vec<f64> {
        let factorials = LnFactorials::up_to(self.num_tokens);
        let p_values = pairs.map(|(expert, key)| self.counts(expert, key).chance_of_as_many(&factorials));
        benjamini_hochberg(&p_values.collect::<Vec<_>>())
    }
}

impl Counts {
    pub fn of(sample: &Sample, layer: usize, num_experts: usize) -> Counts {
        let halves = |num_keys: usize| {
            let half = Half::new(num_experts, num_keys);
            [half.clone(), half]
        };
        let logits: Vec<_> = sample.texts.iter().map(|text| text.scene.gate_logits(layer)).collect();
        let all_logits = logits.iter().all(|logits| logits.as_ref().is_some_and(|it| it.num_experts() == num_experts));
        let mut counts = Counts {
            tokens: halves(sample.words.len()),
            kinds: halves(sample.kinds.len()),
            served: vec![0; num_experts],
            mass: all_logits.then(|| vec![0.0; num_experts]),
            leads: vec![Vec::new(); num_experts],
            together: vec![0; num_experts * num_experts],
            num_tokens: 0,
        };
        for token in sample.tokens() {
            let requests = sample.texts[token.text].scene.layers[layer].of_token(token.at);
            let mut asked: Vec<usize> = Vec::with_capacity(requests.len());
            for request in requests.iter().filter(|request| request.fate.is_demand()) {
                let expert = request.expert.index();
                if !asked.contains(&expert) {
                    asked.push(expert);
                }
                counts.served[expert] += usize::from(request.fate.is_kept());
            }
            counts.num_tokens += 1;
            counts.tokens[token.half].add(token.word, &asked);
            counts.kinds[token.half].add(token.kind, &asked);
            for &one in &asked {
                asked.iter().for_each(|&other| counts.together[one * num_experts + other] += 1);
            }
            if let (Some(mass), Some(logits)) = (&mut counts.mass, &logits[token.text]) {
                let row = logits.row(token.at);
                softmax(row).into_iter().zip(mass).for_each(|(p, mass)| *mass += p);
                let others = row.iter().enumerate().filter(|(expert, _)| !asked.contains(expert)).map(|(_, &z)| z);
                if let Some(best) = others.reduce(f32::max) {
                    asked
                        .iter()
                        .for_each(|&expert| counts.leads[expert].push(f64::from(row[expert]) - f64::from(best)));
                }
            }
        }
        counts
    }

    /// Requests of a kind of text by expert, `[experts]`.
    pub fn by_kind(&self, kind: usize) -> Vec<usize> {
        let of = |expert: usize| self.kinds.iter().map(|half| half.counts(expert, kind).both).sum();
        (0..self.served.len()).map(of).collect()
    }

    fn asked(&self, expert: usize) -> usize {
        self.tokens.iter().map(|half| half.asked[expert]).sum()
    }

    /// An expert in numbers, with nothing tried yet.
    pub fn expert(&self, expert: usize) -> Expert {
        let num_experts = self.served.len();
        let requests: usize = (0..num_experts).map(|expert| self.asked(expert)).sum();
        let asked = self.asked(expert);
        let part = |number: usize, of: usize| number as f64 / of.max(1) as f64;
        let of_pair = |other: usize| self.together[expert * num_experts + other];
        let others = || (0..num_experts).filter(move |&other| other != expert);
        // The other requests of its tokens, if they went where all requests to others go.
        let company: usize = others().map(of_pair).sum();
        let partners: Vec<Partner> = others()
            .map(|other| Partner {
                expert: ExpertIdx(other as u32),
                share: part(of_pair(other), asked),
                expected: part(company, asked) * part(self.asked(other), requests - asked),
            })
            .filter(|partner| partner.share > 0.0)
            .collect();
        let order = sorted(partners.len(), &|a, b| partners[b].share.total_cmp(&partners[a].share));
        let partners = order.into_iter().take(PARTNERS).map(|at| partners[at]).collect();
        Expert {
            asked,
            served: self.served[expert],
            load: part(asked, requests),
            mass: self.mass.as_ref().map(|mass| mass[expert] / self.num_tokens.max(1) as f64),
            lead: median(&self.leads[expert]),
            partners,
            tokens: Vec::new(),
            kinds: Vec::new(),
        }
    }
}

/// Of an even number, the mean of the two in the middle.
fn median(values: &[f64]) -> Option<f64> {
    let order = sorted(values.len(), &|a, b| values[a].total_cmp(&values[b]));
    let (below, above) = (order.get(order.len().checked_sub(1)? / 2)?, order.get(order.len() / 2)?);
    Some((values[*below] + values[*above]) / 2.0)
}
