//! The engine's worker: spoken to, watched. It is disposable; what to do about its death is the reducer's.

use std::rc::Rc;

use moe_trace::{Command, Event, UserError};

use crate::browser::module_worker::{Fault, ModuleWorker};
use crate::browser::watchdog::{Patience, Pulse, Watchdog};
use crate::browser::wire;
use crate::words::problems::{WorkerLoss, WorkerMissing};

/// A long text on a software adapter takes many seconds a step.
const PATIENCE: Patience = Patience { first_word_ms: 120_000.0, silence_ms: 60_000.0 };

/// A message of the worker, or the end of it.
pub enum WorkerMessage {
    Event(Event),
    Lost(UserError),
}

/// One worker. Dropping it ends the worker and whatever it was doing.
pub struct EngineClient {
    worker: ModuleWorker,
    pulse: Pulse,
    _watchdog: Watchdog,
}

impl EngineClient {
    pub fn start(worker_url: &str, on_event: impl Fn(WorkerMessage) + 'static) -> Result<EngineClient, UserError> {
        let on_event = Rc::new(on_event);
        let pulse = Pulse::default();

        let on_message = {
            let (on_event, pulse) = (on_event.clone(), pulse.clone());
            move |message| {
                pulse.heard();
                match wire::from_worker::<Event>(message) {
                    Ok(events) => events.into_iter().for_each(|event| on_event(WorkerMessage::Event(event))),
                    Err(error) => {
                        on_event(WorkerMessage::Lost(WorkerLoss::NotAnEvent { error: &error.to_string() }.say()));
                    }
                }
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

        let watchdog = Watchdog::new(pulse.clone(), PATIENCE, move |seconds| {
            on_event(WorkerMessage::Lost(WorkerLoss::Silent { seconds }.say()));
        });
        Ok(EngineClient { worker, pulse, _watchdog: watchdog })
    }

    pub fn post(&self, command: &Command) {
        self.pulse.asked();
        self.worker.post(command);
    }

    /// Does the worker owe an answer? Only then may its silence be held against it.
    pub fn expect(&self, expecting: bool) {
        self.pulse.expect(expecting);
    }
}
