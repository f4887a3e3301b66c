//! What each expert of a layer is asked by: its load, its company, and the tokens and kinds of text that ask it more often
//! than chance.
//!
//! Half of the text finds what may be a speciality: a hypergeometric test of every expert with every token that stands
//! there often enough, held to a false-discovery rate, and an effect that is large enough to matter. The other half has to
//! find it again. Without that an expert has no clear speciality, and the numbers say how near it came.

mod counts;
pub mod muting;
pub mod sample;

use std::rc::Rc;

use moe_router::gate::sorted;
use moe_router::measure::{KeyCounts, divergence};
use moe_trace::ExpertIdx;

use crate::run::experts::counts::Counts;
use crate::run::experts::sample::Sample;
use crate::run::scene::SceneLayer;
use crate::run::shared::Shared;

/// Of all that is called a speciality in a layer, at most this part is expected to be chance.
pub const RATE: f64 = 0.05;
/// What is asked less than so many times as often as by chance is not a speciality, however sure it is.
pub const LIFT: f64 = 1.5;
/// A token is tried that stands so often in each half of the text.
pub const OFTEN: usize = 5;
/// So many tokens of a kind of text in each half.
pub const OFTEN_OF_KIND: usize = 20;
/// With fewer tokens in all nothing is tried.
pub const ENOUGH: usize = 256;

/// Associations of an expert that are listed.
const LISTED: usize = 6;
/// Contexts that are shown, and the tokens on either side of each.
const CONTEXTS: usize = 6;
const AROUND: usize = 5;

/// The experts of one layer, as the sample asked them.
#[derive(Debug)]
pub struct Experts {
    pub sample: Shared<Sample>,
    /// Which of the scene's layers, and what it is called.
    pub layer: usize,
    pub name: u32,
    pub experts: Vec<Expert>,
    /// Tests of tokens and of kinds of text, over all experts of the layer.
    pub tried: (usize, usize),
    /// How differently each kind of text asks the experts; empty with one kind, or too little text.
    pub divergence: Vec<Divergence>,
}

/// Of a kind of text from all together.
#[derive(Debug, Clone, PartialEq)]
pub struct Divergence {
    pub kind: Rc<str>,
    /// Jensen-Shannon, of the parts of the requests that the experts get, as in docs/FINDINGS.md.
    pub nats: f64,
    /// About what as many requests would have that go by lot, as those of all together do: an eighth of the mean of a
    /// chi-square over the requests, `(E − 1) (1/n − 1/N) / 8`.
    pub by_lot: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Expert {
    /// Tokens that asked it, and those of them that it served.
    pub asked: usize,
    pub served: usize,
    /// Its part of all requests.
    pub load: f64,
    /// Its part of the gate's probability (softmax of the logits), where every logit was recorded.
    pub mass: Option<f64>,
    /// Of the tokens that asked it: by how much its gate logit led that of the best expert that they did not ask. The
    /// median.
    pub lead: Option<f64>,
    /// Whom else its tokens ask, most often first.
    pub partners: Vec<Partner>,
    /// What was tried, clearest first.
    pub tokens: Vec<Association>,
    pub kinds: Vec<Association>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Partner {
    pub expert: ExpertIdx,
    /// The part of the expert's tokens that ask this one too.
    pub share: f64,
    /// What that would be if partners were taken as often as all other tokens take them.
    pub expected: f64,
}

/// An expert with a token, or with a kind of text.
#[derive(Debug, Clone, PartialEq)]
pub struct Association {
    pub words: Rc<str>,
    /// In the half that finds, and in the half that has to find it again.
    pub first: KeyCounts,
    pub second: KeyCounts,
    /// The false-discovery rate at which it is found, and found again.
    pub rate: f64,
    /// `None` where there was nothing to find again.
    pub rate_again: Option<f64>,
}

impl Association {
    /// Is it found in the half that finds?
    pub fn is_found(&self) -> bool {
        self.rate <= RATE && self.first.lift() >= LIFT
    }

    /// And again in the other: a speciality.
    pub fn holds(&self) -> bool {
        self.is_found() && self.rate_again.is_some_and(|rate| rate <= RATE) && self.second.lift() >= LIFT
    }
}

/// A place in the text where a token asked an expert.
#[derive(Debug, Clone, PartialEq)]
pub struct Context {
    pub before: String,
    pub word: String,
    pub after: String,
    /// Its position, where it is of the run on the screen.
    pub token: Option<usize>,
}

impl Expert {
    /// Tokens, then kinds of text, that hold.
    pub fn specialities(&self) -> impl Iterator<Item = &Association> {
        self.tokens.iter().chain(&self.kinds).filter(|association| association.holds())
    }
}

impl Experts {
    /// Of one layer; `None` where the sample's runs do not have it.
    pub fn of(sample: &Shared<Sample>, layer: usize) -> Option<Experts> {
        let first = sample.texts.first()?.scene.layers.get(layer)?;
        let num_experts = first.num_experts;
        let counts = Counts::of(sample, layer, num_experts);
        let (mut of_tokens, mut of_kinds) = (Vec::new(), Vec::new());
        if sample.is_enough() {
            of_tokens = associations(&counts.tokens, &sample.words, OFTEN);
            of_kinds = associations(&counts.kinds, &sample.kinds, OFTEN_OF_KIND);
        }
        let tried = (of_tokens.iter().map(Vec::len).sum(), of_kinds.iter().map(Vec::len).sum());
        let mut of_tokens = of_tokens.into_iter();
        let mut of_kinds = of_kinds.into_iter();
        let experts = (0..num_experts).map(|expert| Expert {
            tokens: clearest(&of_tokens.next().unwrap_or_default()),
            kinds: clearest(&of_kinds.next().unwrap_or_default()),
            ..counts.expert(expert)
        });
        let experts = experts.collect();
        let divergence = divergences(sample, &counts);
        Some(Experts { sample: sample.clone(), layer, name: first.layer.0, experts, tried, divergence })
    }

    /// Places where the expert was asked, spread over the text: by what it is a speciality for, if there is a token.
    pub fn contexts(&self, expert: usize) -> Vec<Context> {
        let word = self.experts[expert].tokens.iter().find(|association| association.holds()).map(|it| &it.words);
        let places: Vec<(usize, usize)> = self
            .sample
            .tokens()
            .filter(|token| word.is_none_or(|word| *self.sample.words[token.word] == **word))
            .filter(|token| asks(&self.sample.texts[token.text].scene.layers[self.layer], token.at, expert))
            .map(|token| (token.text, token.at))
            .collect();
        let step = places.len().div_ceil(CONTEXTS).max(1);
        places.into_iter().step_by(step).map(|(text, at)| self.context(text, at)).collect()
    }

    fn context(&self, text: usize, at: usize) -> Context {
        let scene = &self.sample.texts[text].scene;
        let joined = |range: std::ops::Range<usize>| -> String {
            range.filter_map(|token| Some(&*scene.tokens.get(token)?.piece.text)).collect()
        };
        Context {
            before: joined(at.saturating_sub(AROUND)..at),
            word: scene.token_text(at).to_owned(),
            after: joined(at + 1..at + 1 + AROUND),
            token: self.sample.texts[text].is_on_screen.then_some(at),
        }
    }
}

fn divergences(sample: &Sample, counts: &Counts) -> Vec<Divergence> {
    if sample.kinds.len() < 2 || !sample.is_enough() {
        return Vec::new();
    }
    let of_kinds: Vec<Vec<usize>> = (0..sample.kinds.len()).map(|kind| counts.by_kind(kind)).collect();
    let num_experts = of_kinds.first().map_or(0, Vec::len);
    let all: Vec<usize> = (0..num_experts).map(|expert| of_kinds.iter().map(|kind| kind[expert]).sum()).collect();
    let parts = |asked: &[usize]| -> Vec<f64> {
        let total = asked.iter().sum::<usize>().max(1) as f64;
        asked.iter().map(|&asked| asked as f64 / total).collect()
    };
    let num_requests = |asked: &[usize]| asked.iter().sum::<usize>().max(1) as f64;
    let of_all = parts(&all);
    let of_kind = |(kind, asked): (&Rc<str>, &Vec<usize>)| Divergence {
        kind: kind.clone(),
        nats: divergence(&parts(asked), &of_all),
        by_lot: num_experts.saturating_sub(1) as f64 * (1.0 / num_requests(asked) - 1.0 / num_requests(&all)) / 8.0,
    };
    sample.kinds.iter().zip(&of_kinds).map(of_kind).collect()
}

/// The expert whose page is open: the selected one, or else whom the selected token asked first.
pub fn open_expert(layer: &SceneLayer, token: usize, selected: Option<usize>) -> usize {
    let asked = || layer.of_token(token).first().map(|request| request.expert.index());
    selected.or_else(asked).filter(|&expert| expert < layer.num_experts).unwrap_or(0)
}

/// Does this token ask this expert, whatever becomes of it?
fn asks(layer: &SceneLayer, token: usize, expert: usize) -> bool {
    layer.of_token(token).iter().any(|request| request.fate.is_demand() && request.expert.index() == expert)
}

/// Every expert with everything that is frequent enough, `[experts]`. How frequent does not depend on who asks whom.
fn associations(halves: &[counts::Half; 2], words: &[Rc<str>], often: usize) -> Vec<Vec<Association>> {
    let [first, second] = halves;
    // With one kind of text, or one word, there is nothing to be special for.
    let keys: Vec<usize> =
        (0..words.len()).filter(|&key| first.of_key[key] >= often && second.of_key[key] >= often).collect();
    let keys = if keys.len() < 2 { Vec::new() } else { keys };
    let num_experts = first.asked.len();
    let pairs = || (0..num_experts).flat_map(|expert| keys.iter().map(move |&key| (expert, key)));
    let rates = first.rates(pairs());
    let is_found =
        |at: usize, (expert, key): (usize, usize)| rates[at] <= RATE && first.counts(expert, key).lift() >= LIFT;
    let found: Vec<(usize, usize)> =
        pairs().enumerate().filter(|&(at, pair)| is_found(at, pair)).map(|(_, pair)| pair).collect();
    let mut again = second.rates(found.iter().copied()).into_iter();
    let mut of_experts = vec![Vec::with_capacity(keys.len()); num_experts];
    for (at, pair) in pairs().enumerate() {
        let (expert, key) = pair;
        of_experts[expert].push(Association {
            words: words[key].clone(),
            first: first.counts(expert, key),
            second: second.counts(expert, key),
            rate: rates[at],
            rate_again: if is_found(at, pair) { again.next() } else { None },
        });
    }
    of_experts
}

/// What holds first, then what was found, then the rest, each by how sure it is.
fn clearest(associations: &[Association]) -> Vec<Association> {
    let standing = |it: &Association| (!it.holds(), !it.is_found());
    let order = sorted(associations.len(), &|a, b| {
        let (a, b) = (&associations[a], &associations[b]);
        standing(a).cmp(&standing(b)).then(a.rate.total_cmp(&b.rate)).then(b.first.lift().total_cmp(&a.first.lift()))
    });
    order.into_iter().take(LISTED).map(|at| associations[at].clone()).collect()
}
