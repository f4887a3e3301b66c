//! Findings of the literature, tried on the reader's own text: each a small experiment with a threshold of its own, which
//! is that of docs/FINDINGS.md, and what was measured there beside it.

mod along;
pub mod collapse;
pub mod recorded;
mod told;

use moe_router::metrics;
use moe_trace::{RoutingSpec, RunRequest};

pub use along::Along;
pub use collapse::Collapse;
pub use told::Told;

use crate::run::experts::sample::Sample;
use crate::run::fixed_text;
use crate::run::policies::LabPolicy;
use crate::run::recording::Recording;
use crate::run::shared::Shared;

/// The capacity factor at which losses along the text are compared.
pub const FACTOR: f32 = 1.0;
/// A shorter text has no end to speak of.
pub const LONG: usize = 32;
/// A rise counts from so many points on.
pub const RISE: f64 = 0.01;
/// Demand is far less even from so many times the variation on.
pub const FAR: f64 = 2.0;

/// Served in order of the text, and by lot.
const ORDERS: [LabPolicy; 2] = [LabPolicy::FirstCome, LabPolicy::ByLot];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Holds,
    DoesNotHold,
    /// The text says neither.
    NotDecided,
    /// There is too little text, or none of what it takes was run yet.
    NotTried,
}

/// What came of each.
#[derive(Debug)]
pub struct Findings {
    pub sample: Shared<Sample>,
    /// Losses along the text in order of the text and by lot, once that was run; `Err` says why it cannot be.
    pub along: Result<Option<[Along; 2]>, &'static str>,
    pub measured: Shared<Measured>,
}

/// What needs no further run; `None` with too little text.
#[derive(Debug)]
pub struct Measured {
    /// What the token and its place tell of its experts.
    pub told: Option<Told>,
    pub demand: Option<Demand>,
    pub collapse: Option<Collapse>,
}

impl Measured {
    pub fn of(sample: &Sample) -> Measured {
        let is_enough = sample.is_enough();
        let demands = is_enough.then(|| demands(sample)).flatten();
        Measured {
            told: is_enough.then(|| Told::of(sample)).flatten(),
            demand: demands.as_ref().map(|demands| demand(demands, sample.num_tokens())),
            collapse: demands.as_ref().and_then(|demands| Collapse::of(demands)),
        }
    }
}

/// How uneven the demand of the experts is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Demand {
    /// Standard deviation over mean, averaged over the layers.
    pub variation: f64,
    /// What it would be if every token asked by lot.
    pub by_chance: f64,
}

/// Every text that is long enough, at one capacity, in each order of service.
pub fn requests(sample: &Sample) -> Vec<RunRequest> {
    let texts = long_texts(sample);
    let of_order = |order: LabPolicy| {
        texts.iter().map(move |(run, text)| fixed_text::request(run, text, routing(order, run))).collect::<Vec<_>>()
    };
    if cannot(sample).is_some() { Vec::new() } else { ORDERS.into_iter().flat_map(of_order).collect() }
}

fn routing(order: LabPolicy, run: &Recording) -> RoutingSpec {
    order.routing(FACTOR, &run.request.routing)
}

fn long_texts(sample: &Sample) -> Vec<(Shared<Recording>, String)> {
    let is_long = |run: &Recording| run.text_len(run.steps.len().saturating_sub(1)) >= LONG;
    let texts = sample.whole_texts().into_iter().filter(|(run, _, _)| is_long(run));
    texts.map(|(run, text, _)| (run, text)).collect()
}

/// Why losses along the text cannot be had.
fn cannot(sample: &Sample) -> Option<&'static str> {
    let run = &sample.texts.first()?.scene.recording;
    let of_rule = LabPolicy::of_rule(&run.request.routing.router, run.model.num_experts as usize);
    match ORDERS.iter().all(|order| of_rule.contains(order)) {
        false => Some(marked!("Under this rule nobody is turned away, or not in an order that could be another.")),
        true => long_texts(sample).is_empty().then_some(marked!("No text is long enough to have an end.")),
    }
}

impl Findings {
    /// `result`: the finished run of a request.
    pub fn of(
        sample: &Shared<Sample>,
        measured: &Shared<Measured>,
        result: impl Fn(&RunRequest) -> Option<Shared<Recording>>,
    ) -> Findings {
        let texts = long_texts(sample);
        let along = |order: LabPolicy| {
            let run = |(run, text): &(Shared<Recording>, String)| {
                result(&fixed_text::request(run, text, routing(order, run)))
            };
            let runs: Vec<_> = texts.iter().map(run).collect::<Option<_>>()?;
            Some(Along::of(&runs))
        };
        Findings {
            sample: sample.clone(),
            along: match cannot(sample) {
                Some(why) => Err(why),
                None => Ok(along(ORDERS[0]).zip(along(ORDERS[1])).map(|(in_order, by_lot)| [in_order, by_lot])),
            },
            measured: measured.clone(),
        }
    }

    /// Losses rise towards the end.
    pub fn rises(&self) -> Verdict {
        match &self.along {
            Ok(Some([in_order, _])) => in_order.rises(),
            _ => Verdict::NotTried,
        }
    }

    /// They rise in order of the text, and do not by lot.
    pub fn order_does_it(&self) -> Verdict {
        match &self.along {
            Ok(Some([in_order, by_lot])) => match (in_order.rises(), by_lot.rises()) {
                (Verdict::Holds, Verdict::DoesNotHold) => Verdict::Holds,
                (Verdict::Holds, Verdict::Holds) => Verdict::DoesNotHold,
                // Without a rise there is nothing to explain.
                _ => Verdict::NotDecided,
            },
            _ => Verdict::NotTried,
        }
    }

    /// The id tells more of the experts than each other label.
    pub fn id_tells_most(&self) -> Verdict {
        let Some(told) = &self.measured.told else { return Verdict::NotTried };
        let most = [told.before, told.position].into_iter().chain(told.kind).fold(0.0, f64::max);
        if told.id > most { Verdict::Holds } else { Verdict::DoesNotHold }
    }

    /// Demand is far more even than where nothing balanced the gate.
    pub fn is_even(&self) -> Verdict {
        let Some(demand) = &self.measured.demand else { return Verdict::NotTried };
        match demand.variation * FAR <= recorded::VARIATION_UNBALANCED {
            true => Verdict::Holds,
            false => Verdict::DoesNotHold,
        }
    }

    /// A few experts take the requests.
    pub fn has_collapsed(&self) -> Verdict {
        self.measured.collapse.as_ref().map_or(Verdict::NotTried, Collapse::verdict)
    }

    /// Those that are tried on runs, in the page's order.
    pub fn verdicts(&self) -> [Verdict; 5] {
        [self.rises(), self.order_does_it(), self.id_tells_most(), self.is_even(), self.has_collapsed()]
    }
}

/// Requests of each expert, `[layers][experts]`; `None` where nobody asked.
fn demands(sample: &Sample) -> Option<Vec<Vec<u32>>> {
    let first = &sample.texts.first()?.scene;
    let (num_layers, num_experts) = (first.layers.len(), first.num_experts());
    let mut demands = vec![vec![0_u32; num_experts]; num_layers];
    for token in sample.tokens() {
        for (layer, demand) in sample.texts[token.text].scene.layers.iter().zip(&mut demands) {
            for request in layer.of_token(token.at).iter().filter(|request| request.fate.is_demand()) {
                demand[request.expert.index()] += 1;
            }
        }
    }
    demands.iter().flatten().any(|&asked| asked > 0).then_some(demands)
}

fn demand(demands: &[Vec<u32>], num_tokens: usize) -> Demand {
    let (num_layers, num_experts) = (demands.len(), demands.first().map_or(0, Vec::len));
    let requests: u32 = demands.iter().flatten().sum();
    let variation = demands.iter().map(|demand| metrics::demand_cv(demand)).sum::<f64>() / num_layers as f64;
    // Each expert is one of a token's k with probability k / E, so its demand has mean N k/E and variance N k/E (1 - k/E).
    let num_tokens = num_tokens as f64;
    let asks = f64::from(requests) / (num_tokens * num_layers as f64 * num_experts as f64);
    let by_chance = ((1.0 - asks).max(0.0) / (num_tokens * asks)).sqrt();
    Demand { variation, by_chance }
}
