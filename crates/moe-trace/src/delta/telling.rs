//! The sender's side of deltas: what it told last, so that each step is told by what changed.

use super::SentStep;
use crate::trace::StepTrace;

/// What the other side has of a run. It must hear every step, in order.
#[derive(Debug, Clone, Default)]
pub struct Telling {
    last: Option<StepTrace>,
}

impl Telling {
    /// The shortest form of a step for who heard all steps before: what changed since the one told before it.
    pub fn tell(&mut self, step: StepTrace) -> SentStep {
        let sent = match &self.last {
            Some(last) => SentStep::after(last, &step),
            None => SentStep::Whole(step.clone()),
        };
        self.last = Some(step);
        sent
    }
}
