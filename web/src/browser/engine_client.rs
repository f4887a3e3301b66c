//! The engine's worker: spoken to, watched. It is disposable; what to do about its death is the reducer's.

use std::cell::Cell;
use std::rc::Rc;

use moe_trace::{Command, Event, UserError};

use crate::browser::module_worker::{Fault, ModuleWorker};
use crate::browser::timers::{self, Interval};
use crate::browser::wire;
use crate::words::problems::{WorkerLoss, WorkerMissing};

/// Silence after which a worker that owes an answer counts as dead. A long text on a software adapter takes many seconds
/// a step.
const SILENCE_MS: f64 = 60_000.0;
/// A new worker first downloads its module, and reports nothing meanwhile: its first message may take longer.
const FIRST_WORD_MS: f64 = 120_000.0;
const CHECK_EVERY_MS: i32 = 1_000;

/// A message of the worker, or the end of it.
pub enum WorkerMessage {
    Event(Event),
    Lost(UserError),
}

/// One worker. Dropping it ends the worker and whatever it was doing.
pub struct EngineClient {
    worker: ModuleWorker,
    expecting: Rc<Cell<bool>>,
    last_heard_ms: Rc<Cell<f64>>,
    _watchdog: Interval,
}

impl EngineClient {
    pub fn start(worker_url: &str, on_event: impl Fn(WorkerMessage) + 'static) -> Result<EngineClient, UserError> {
        let on_event = Rc::new(on_event);
        let last_heard_ms = Rc::new(Cell::new(timers::now_ms()));
        let has_spoken = Rc::new(Cell::new(false));
        let expecting = Rc::new(Cell::new(true));

        let on_message = {
            let (on_event, last_heard_ms, has_spoken) = (on_event.clone(), last_heard_ms.clone(), has_spoken.clone());
            move |message| {
                last_heard_ms.set(timers::now_ms());
                has_spoken.set(true);
                on_event(match wire::from_js::<Event>(message) {
                    Ok(event) => WorkerMessage::Event(event),
                    Err(error) => WorkerMessage::Lost(WorkerLoss::NotAnEvent { error: &error.to_string() }.say()),
                });
            }
        };
        let on_fault = {
            let on_event = on_event.clone();
            move |fault| {
                on_event(match fault {
                    Fault::Missing(why) => WorkerMessage::Event(Event::Unstartable(WorkerMissing { why }.say())),
                    Fault::Threw(error) => WorkerMessage::Lost(WorkerLoss::Threw { error: &error }.say()),
                });
            }
        };
        let worker = ModuleWorker::start(worker_url, on_message, on_fault)
            .map_err(|error| WorkerLoss::NotStarted { error: &error }.say())?;

        let watchdog = Interval::new(CHECK_EVERY_MS, {
            let (expecting, last_heard_ms) = (expecting.clone(), last_heard_ms.clone());
            let mut last_check_ms = timers::now_ms();
            move || {
                let now_ms = timers::now_ms();
                // A page that slept, or a throttled background tab, must not blame the worker for it.
                if now_ms - last_check_ms > 5.0 * f64::from(CHECK_EVERY_MS) {
                    last_heard_ms.set(now_ms);
                }
                last_check_ms = now_ms;
                let patience_ms = if has_spoken.get() { SILENCE_MS } else { FIRST_WORD_MS };
                if expecting.get() && now_ms - last_heard_ms.get() > patience_ms {
                    expecting.set(false);
                    on_event(WorkerMessage::Lost(WorkerLoss::Silent { seconds: patience_ms / 1000.0 }.say()));
                }
            }
        });
        Ok(EngineClient { worker, expecting, last_heard_ms, _watchdog: watchdog })
    }

    pub fn post(&self, command: &Command) {
        self.last_heard_ms.set(timers::now_ms());
        self.worker.post(command);
    }

    /// Does the worker owe an answer? Only then may its silence be held against it.
    pub fn expect(&self, expecting: bool) {
        if expecting && !self.expecting.get() {
            self.last_heard_ms.set(timers::now_ms());
        }
        self.expecting.set(expecting);
    }
}
