//! Commands that wait, and progress at a pace that a page can draw.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use moe_mailbox::{now_ms, post};
use moe_trace::{Command, Event};

/// Commands that have arrived and wait their turn. A `Stop` or a new `Run` is seen between the steps of a run.
#[derive(Clone, Default)]
pub struct Inbox(Rc<RefCell<VecDeque<Command>>>);

impl Inbox {
    pub fn push(&self, command: Command) {
        self.0.borrow_mut().push_back(command);
    }

    pub fn take(&self) -> Option<Command> {
        self.0.borrow_mut().pop_front()
    }

    /// Does anything wait? Every command ends the run in progress: a `Stop` by its purpose, the others because they
    /// replace it.
    pub fn interrupts(&self, run: moe_trace::RunId) -> bool {
        let mut commands = self.0.borrow_mut();
        // A `Stop` of another run at the front is late. One behind a `Run` is meant for that run, and waits with it.
        while matches!(commands.front(), Some(Command::Stop(other)) if *other != run) {
            commands.pop_front();
        }
        !commands.is_empty()
    }
}

/// Progress at a pace that a page can draw.
#[derive(Default)]
pub struct Paced {
    last_ms: Cell<Option<f64>>,
}

impl Paced {
    /// Milliseconds from one progress to the next: fewer than ten a second.
    const EVERY_MS: f64 = 110.0;

    /// Posts a progress, unless another was posted a moment ago. The end is always told.
    pub fn post(&self, progress: &Event) {
        let Event::Progress { loaded_bytes, total_bytes, .. } = progress else { return post(progress) };
        let now_ms = now_ms();
        let is_due = self.last_ms.get().is_none_or(|last_ms| now_ms - last_ms >= Paced::EVERY_MS);
        if is_due || loaded_bytes == total_bytes {
            self.last_ms.set(Some(now_ms));
            post(progress);
        }
    }
}
