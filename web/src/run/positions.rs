//! Where in the text requests are turned away, over all runs with the same routing.

use moe_router::metrics;
use moe_trace::{Routing, RoutingGroup, RunId, RunRequest};

use crate::run::recording::Recording;
use crate::run::shared::Shared;

/// Stretches of the text in the picture.
pub const STRETCHES: usize = 8;

/// So many runs are remembered; of more the oldest is forgotten.
const MAX_RUNS: usize = 64;

/// The decisions about the whole text of every run that has ended.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Positions {
    runs: Vec<Shared<Counted>>,
}

/// A run, and what was decided about its text, by layer.
#[derive(Debug, Clone, PartialEq)]
struct Counted {
    weights_sha256: String,
    /// Numbered 0: the same request counts once.
    request: RunRequest,
    layers: Vec<Routing>,
}

impl Counted {
    /// `None` where its tokens share no capacity: nobody can be turned away then.
    fn of(run: &Recording) -> Option<Counted> {
        let last = run.steps.last().filter(|_| run.request.group == RoutingGroup::ThisText)?;
        Some(Counted {
            weights_sha256: run.model.weights_sha256.clone(),
            request: RunRequest { run: RunId(0), ..RunRequest::clone(&run.request) },
            layers: last.layers.iter().filter_map(|layer| layer.routing().cloned()).collect(),
        })
    }

    fn is_same(&self, other: &Counted) -> bool {
        self.weights_sha256 == other.weights_sha256 && self.request == other.request
    }
}

/// Lost share by position, of the runs with one routing.
#[derive(Debug, Clone, PartialEq)]
pub struct ByPosition {
    pub num_runs: usize,
    pub requests: usize,
    pub lost: usize,
    /// Tokens of the longest text, and of a stretch.
    pub longest: usize,
    pub stretch: usize,
    /// Lost over made requests, by stretch; `None` where nobody asked.
    pub shares: Vec<Option<f64>>,
    /// Of the first and of the last quarter.
    pub quarters: (f64, f64),
    /// Rank correlation of position and lost share.
    pub correlation: f64,
}

impl Positions {
    /// A run has ended.
    pub fn count(&mut self, run: &Recording) {
        let Some(counted) = Counted::of(run) else { return };
        self.runs.retain(|known| !known.is_same(&counted));
        self.runs.push(Shared::new(counted));
        if self.runs.len() > MAX_RUNS {
            self.runs.remove(0);
        }
    }

    /// Of all counted runs with the model and routing of this one, and itself as far as it has come.
    pub fn like(&self, run: &Recording) -> Option<ByPosition> {
        let own = Counted::of(run)?;
        let is_like = |other: &&Counted| {
            let is_same_routing = other.request.routing == own.request.routing;
            other.weights_sha256 == own.weights_sha256 && is_same_routing && !other.is_same(&own)
        };
        let runs: Vec<&Counted> = self.runs.iter().map(|counted| &**counted).filter(is_like).chain([&own]).collect();
        let routings: Vec<Routing> = runs.iter().flat_map(|run| run.layers.iter().cloned()).collect();
        let longest = routings.iter().map(|routing| routing.num_tokens as usize).max()?;
        let quarters = metrics::drop_rate_by_position(&routings, 4);
        let quarter = |at: usize| quarters[at].unwrap_or_default();
        let requests = routings.iter().flat_map(|routing| &routing.assignments).filter(|it| it.fate.is_demand());
        let (made, kept) = requests.fold((0, 0), |(made, kept), it| (made + 1, kept + usize::from(it.fate.is_kept())));
        Some(ByPosition {
            num_runs: runs.len(),
            requests: made,
            lost: made - kept,
            longest,
            stretch: longest.div_ceil(STRETCHES).max(1),
            shares: metrics::drop_rate_by_position(&routings, STRETCHES),
            quarters: (quarter(0), quarter(3)),
            correlation: metrics::drop_rank_correlation(&routings),
        })
    }
}
