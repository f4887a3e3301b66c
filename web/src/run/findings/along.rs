//! Losses at the beginning and at the end of texts, each text with its own quarters.

use moe_trace::Fate;

use crate::run::findings::{RISE, Verdict};
use crate::run::recording::Recording;
use crate::run::shared::Shared;

/// Requests of the first and of the last quarter, over all layers and texts.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Along {
    pub made: [usize; 2],
    pub lost: [usize; 2],
}

impl Along {
    /// `runs`: each a whole text in its last step.
    pub fn of(runs: &[Shared<Recording>]) -> Along {
        let mut along = Along::default();
        for step in runs.iter().filter_map(|run| run.steps.last()) {
            let quarter = step.tokens.len().div_ceil(4);
            let requests = step.layers.iter().filter_map(|layer| layer.routing()).flat_map(|it| &it.assignments);
            for request in requests.filter(|request| request.fate.is_demand()) {
                let at = match request.token as usize {
                    early if early < quarter => 0,
                    late if late >= 3 * quarter => 1,
                    _ => continue,
                };
                along.made[at] += 1;
                along.lost[at] += usize::from(request.fate == Fate::Lost);
            }
        }
        along
    }

    pub fn shares(&self) -> [f64; 2] {
        [0, 1].map(|at| self.lost[at] as f64 / self.made[at].max(1) as f64)
    }

    pub fn rise(&self) -> f64 {
        let [first, last] = self.shares();
        last - first
    }

    /// Two standard errors of the rise, as if every request were lost by itself.
    pub fn margin(&self) -> f64 {
        let variance = |at: usize| {
            let share = self.shares()[at];
            share * (1.0 - share) / self.made[at].max(1) as f64
        };
        2.0 * (variance(0) + variance(1)).sqrt()
    }

    /// By a point, and by more than the margin.
    pub fn rises(&self) -> Verdict {
        match self.rise() {
            _ if self.made.contains(&0) => Verdict::NotDecided,
            rise if rise >= RISE && rise > self.margin() => Verdict::Holds,
            _ => Verdict::DoesNotHold,
        }
    }
}
