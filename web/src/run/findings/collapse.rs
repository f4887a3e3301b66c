//! Collapse: do a few experts of a layer take its requests, and the others next to none?

use moe_router::metrics;

use crate::run::findings::Verdict;

/// A layer has collapsed that works with less than this part of its experts; docs/FINDINGS.md has the same.
pub const COLLAPSED: f64 = 0.75;

#[derive(Debug, Clone, PartialEq)]
pub struct Collapse {
    pub num_experts: usize,
    /// `[layers]`: experts that a layer works with, `exp` of the entropy of their parts of the requests.
    pub effective: Vec<f64>,
    /// The part of all requests that the busiest quarter of the experts gets, averaged over the layers.
    pub busiest_quarter: f64,
    /// What that part is where all experts are asked alike.
    pub quarter: f64,
}

impl Collapse {
    /// `demands`: `[layers][experts]`, somebody being asked in every layer.
    pub fn of(demands: &[Vec<u32>]) -> Option<Collapse> {
        let num_experts = demands.first()?.len();
        let num_busy = num_experts.div_ceil(4);
        let of_busiest = |demand: &Vec<u32>| {
            let mut sorted = demand.clone();
            sorted.sort_unstable_by(|a, b| b.cmp(a));
            let busiest: u32 = sorted.iter().take(num_busy).sum();
            f64::from(busiest) / f64::from(demand.iter().sum::<u32>()).max(1.0)
        };
        Some(Collapse {
            num_experts,
            effective: demands.iter().map(|demand| metrics::effective_experts(demand)).collect(),
            busiest_quarter: demands.iter().map(of_busiest).sum::<f64>() / demands.len() as f64,
            quarter: num_busy as f64 / num_experts.max(1) as f64,
        })
    }

    /// Mean over the layers.
    pub fn mean(&self) -> f64 {
        self.effective.iter().sum::<f64>() / self.effective.len().max(1) as f64
    }

    pub fn verdict(&self) -> Verdict {
        match self.mean() < COLLAPSED * self.num_experts as f64 {
            true => Verdict::Holds,
            false => Verdict::DoesNotHold,
        }
    }
}
