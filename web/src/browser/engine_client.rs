//! The engine's worker, or a share of one: spoken to, watched. It is disposable; what to do about its death is the reducer's.

use std::rc::Rc;

use moe_trace::{Command, Event, UserError};
use wasm_bindgen::JsValue;

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

/// What a figure has of a worker. Dropping it ends whatever it was doing for this figure, and the worker with the last one.
pub struct EngineClient {
    worker: Rc<ModuleWorker>,
    pulse: Pulse,
    _watchdog: Watchdog,
}

impl EngineClient {
    /// `first` is what the worker is told first.
    pub fn start(
        worker_url: &str,
        first: &Command,
        on_event: impl Fn(WorkerMessage) + 'static,
    ) -> Result<EngineClient, UserError> {
        let on_event = Rc::new(on_event);
        let pulse = Pulse::default();

        let on_message = {
            let (on_event, pulse) = (on_event.clone(), pulse.clone());
            move |message: JsValue| {
                pulse.heard();
                if message.is_undefined() {
                    // It works for another figure, and this one's turn comes.
                    return;
                }
                on_event(match wire::from_js::<Event>(message) {
                    Ok(event) => WorkerMessage::Event(event),
                    Err(error) => WorkerMessage::Lost(WorkerLoss::NotAnEvent { error: &error }.say()),
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
        let not_started = |error: &str| WorkerLoss::NotStarted { error }.say();
        let worker = ModuleWorker::start(worker_url, Some(&wire::to_js(first)), on_message, on_fault);
        let worker = Rc::new(worker.map_err(|error| not_started(&error))?);

        let watched = worker.clone();
        let watchdog = Watchdog::new(pulse.clone(), PATIENCE, move |seconds| {
            let error = WorkerLoss::Silent { seconds }.say();
            watched.give_up(&error);
            on_event(WorkerMessage::Lost(error));
        });
        Ok(EngineClient { worker, pulse, _watchdog: watchdog })
    }

    /// `is_patient`: a run that gives way to those of other figures.
    pub fn post(&self, command: &Command, is_patient: bool) {
        self.pulse.asked();
        self.worker.set_patient(is_patient);
        self.worker.post(command);
    }

    /// Does the worker owe an answer? Only then may its silence be held against it.
    pub fn expect(&self, expecting: bool) {
        self.pulse.expect(expecting);
    }
}
