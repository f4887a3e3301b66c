//! What an expert is worth to the text: the loss with it muted, beside that with each other expert of its layer muted.
//!
//! The texts of the sample are read again as fixed texts: once as they were routed, and once for every expert that is
//! muted. Who would have asked it asks the next best, and the slots of those fill up sooner.

use std::rc::Rc;

use moe_trace::{ExpertIdx, Intervention, LayerIdx, RunRequest};

use crate::run::experts::sample::Sample;
use crate::run::fixed_text;
use crate::run::recording::Recording;
use crate::run::shared::Shared;

/// Runs that one press of the button asks for, if one text alone does not need more.
const MAX_RUNS: usize = 160;
/// Of a layer with many experts so many others are muted, evenly spread.
const MAX_OTHERS: usize = 63;

/// What is muted where, and on which texts.
#[derive(Debug)]
pub struct Plan {
    layer: LayerIdx,
    expert: usize,
    /// The other experts that are muted, each by itself.
    others: Vec<usize>,
    /// A run whose text it is, that text, and the kind of text.
    texts: Vec<(Shared<Recording>, String, usize)>,
}

impl Plan {
    /// `layer`: which of the scene's layers. `None` where there is no text that could be run again.
    pub fn of(sample: &Sample, layer: usize, expert: usize) -> Option<Plan> {
        let of_layer = sample.texts.first()?.scene.layers.get(layer)?;
        let num_experts = of_layer.num_experts;
        let others: Vec<usize> = (0..num_experts).filter(|&other| other != expert).collect();
        let step = others.len().div_ceil(MAX_OTHERS).max(1);
        let others: Vec<usize> = others.into_iter().step_by(step).collect();
        let mut texts = sample.whole_texts();
        texts.truncate((MAX_RUNS / (others.len() + 2)).max(1));
        (!texts.is_empty() && expert < num_experts).then_some(Plan { layer: of_layer.layer, expert, others, texts })
    }

    /// First what the sentence needs: all texts as they are and with this expert muted.
    pub fn requests(&self) -> Vec<RunRequest> {
        let muted = [None, Some(self.expert)].into_iter().chain(self.others.iter().copied().map(Some));
        muted.flat_map(|muted| self.texts.iter().map(move |(run, text, _)| self.request(run, text, muted))).collect()
    }

    fn request(&self, run: &Recording, text: &str, muted: Option<usize>) -> RunRequest {
        let mut request = fixed_text::request(run, text, run.request.routing);
        let mute = |expert: usize| Intervention::Mute { layer: self.layer, expert: ExpertIdx(expert as u32) };
        request.interventions.extend(muted.map(mute));
        request
    }
}

/// What came of it, as far as it was computed.
#[derive(Debug, PartialEq)]
pub struct Muting {
    pub expert: usize,
    pub num_others: usize,
    /// By kind of text; then all together, where there are several.
    pub rows: Vec<Row>,
    all: Row,
}

/// Texts of one kind in nats per token.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub kind: Rc<str>,
    pub num_tokens: usize,
    pub as_run: f64,
    pub muted: f64,
    /// With each of the others muted that was computed for all of the row's texts.
    pub others: Vec<f64>,
}

impl Row {
    /// What muting it costs.
    pub fn cost(&self) -> f64 {
        self.muted - self.as_run
    }

    /// What muting a random other one costs: the mean over those that were computed.
    pub fn cost_of_another(&self) -> Option<f64> {
        let sum: f64 = self.others.iter().map(|other| other - self.as_run).sum();
        (!self.others.is_empty()).then(|| sum / self.others.len() as f64)
    }

    /// How many of the others cost less.
    pub fn num_cheaper(&self) -> usize {
        self.others.iter().filter(|&&other| other < self.muted).count()
    }
}

impl Muting {
    /// `result`: the finished run of a request. `None` until every text was run as it is and with the expert muted.
    pub fn of(
        plan: &Plan,
        sample: &Sample,
        result: impl Fn(&RunRequest) -> Option<Shared<Recording>>,
    ) -> Option<Muting> {
        let row = |kind: Option<usize>| {
            let texts = plan.texts.iter().filter(|(_, _, of)| kind.is_none_or(|kind| *of == kind));
            let texts: Vec<_> = texts.collect();
            let loss = |muted: Option<usize>| {
                let of_texts = texts.iter().map(|(run, text, _)| loss_of(&*result(&plan.request(run, text, muted))?));
                let (mut nats, mut num_tokens) = (0.0, 0);
                for of_text in of_texts {
                    let (sum, number) = of_text?;
                    (nats, num_tokens) = (nats + sum, num_tokens + number);
                }
                (num_tokens > 0).then(|| (nats / num_tokens as f64, num_tokens))
            };
            let (as_run, num_tokens) = loss(None)?;
            let (muted, _) = loss(Some(plan.expert))?;
            let others = plan.others.iter().filter_map(|&other| Some(loss(Some(other))?.0)).collect();
            let kind = kind.map_or_else(|| "all".into(), |kind| sample.kinds[kind].clone());
            Some(Row { kind, num_tokens, as_run, muted, others })
        };
        let is_there = |kind: &usize| plan.texts.iter().any(|(_, _, of)| of == kind);
        let kinds = (0..sample.kinds.len()).filter(is_there);
        let mut rows: Vec<Row> = kinds.map(|kind| row(Some(kind))).collect::<Option<_>>()?;
        let all = row(None)?;
        if rows.len() > 1 {
            rows.push(all.clone());
        }
        Some(Muting { expert: plan.expert, num_others: plan.others.len(), rows, all })
    }

    /// All texts together.
    pub fn all(&self) -> &Row {
        &self.all
    }
}

/// Nats of a text, and how many tokens have a loss. `None` before it is over.
fn loss_of(run: &Recording) -> Option<(f64, usize)> {
    let losses = run.steps.last()?.tokens.iter().filter_map(|token| token.loss);
    Some(losses.fold((0.0, 0), |(sum, number), loss| (sum + f64::from(loss), number + 1)))
}
