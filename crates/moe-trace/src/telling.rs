//! The sender's side of deltas: what it told last, so that each step is told by what changed.

use crate::delta::SentStep;
use crate::protocol::Event;
use crate::trace::StepTrace;

/// What the other side has of a run. It must hear every event, in order.
#[derive(Debug, Clone, Default)]
pub struct Telling {
    last: Option<StepTrace>,
}

impl Telling {
    /// The shortest form of an event for who heard all events before. A step that is whole is told by what changed since
    /// the one told before it; everything else stays as it is.
    pub fn shortest(&mut self, event: Event) -> Event {
        let Event::Step { trace: SentStep::Whole(step), elapsed_ms } = event else { return event };
        let trace = match &self.last {
            Some(last) => SentStep::after(last, &step),
            None => SentStep::Whole(step.clone()),
        };
        self.last = Some(step);
        Event::Step { trace, elapsed_ms }
    }
}
