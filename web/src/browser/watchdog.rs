//! Whether a worker that owes an answer is still there: one that is ended from outside says nothing of it.

use std::cell::Cell;
use std::rc::Rc;

use crate::browser::timers::{self, Interval};

const CHECK_EVERY_MS: i32 = 1_000;

/// How long silence is borne.
#[derive(Clone, Copy)]
pub struct Patience {
    /// Of a new worker, which first downloads its module and reports nothing meanwhile.
    pub first_word_ms: f64,
    pub silence_ms: f64,
}

/// What is known of a worker. Copies are of the same one.
#[derive(Clone)]
pub struct Pulse(Rc<Known>);

struct Known {
    owes_answer: Cell<bool>,
    has_spoken: Cell<bool>,
    last_heard_ms: Cell<f64>,
}

/// Watches until it is dropped.
pub struct Watchdog {
    _interval: Interval,
}

impl Default for Pulse {
    /// Of a worker that was just started, and owes its first word.
    fn default() -> Pulse {
        let (owes_answer, has_spoken) = (Cell::new(true), Cell::new(false));
        Pulse(Rc::new(Known { owes_answer, has_spoken, last_heard_ms: Cell::new(timers::now_ms()) }))
    }
}

impl Pulse {
    /// It said something.
    pub fn heard(&self) {
        self.0.last_heard_ms.set(timers::now_ms());
        self.0.has_spoken.set(true);
    }

    /// It was asked something, and has from now on time to answer.
    pub fn asked(&self) {
        self.0.last_heard_ms.set(timers::now_ms());
    }

    /// Does it owe an answer? Only then may its silence be held against it, from now on.
    pub fn expect(&self, owes_answer: bool) {
        if owes_answer && !self.0.owes_answer.get() {
            self.0.last_heard_ms.set(timers::now_ms());
        }
        self.0.owes_answer.set(owes_answer);
    }
}

impl Watchdog {
    /// `on_silence` is called once, with the seconds that were waited.
    pub fn new(pulse: Pulse, patience: Patience, on_silence: impl Fn(f64) + 'static) -> Watchdog {
        let mut last_check_ms = timers::now_ms();
        let interval = Interval::new(CHECK_EVERY_MS, move || {
            let known = &pulse.0;
            let now_ms = timers::now_ms();
            // A page that slept, or a throttled background tab, must not blame the worker for it.
            if now_ms - last_check_ms > 5.0 * f64::from(CHECK_EVERY_MS) {
                known.last_heard_ms.set(now_ms);
            }
            last_check_ms = now_ms;
            let patience_ms = if known.has_spoken.get() { patience.silence_ms } else { patience.first_word_ms };
            if known.owes_answer.get() && now_ms - known.last_heard_ms.get() > patience_ms {
                known.owes_answer.set(false);
                on_silence(patience_ms / 1000.0);
            }
        });
        Watchdog { _interval: interval }
    }
}
