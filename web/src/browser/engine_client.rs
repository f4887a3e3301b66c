//! The worker's life: started, spoken to, watched, ended. It is disposable; what to do about its death is the reducer's.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Array, Function, Reflect};
use moe_trace::{Command, Event, UserError};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{MessageEvent, Worker, WorkerOptions, WorkerType};

use crate::browser::fetch;
use crate::browser::timers::{self, Interval};
use crate::browser::trusted::script_address;
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
    worker: Worker,
    expecting: Rc<Cell<bool>>,
    last_heard_ms: Rc<Cell<f64>>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(web_sys::Event)>,
    _watchdog: Interval,
}

impl EngineClient {
    pub fn start(worker_url: &str, on_event: impl Fn(WorkerMessage) + 'static) -> Result<EngineClient, UserError> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = started(worker_url, &options)
            .map_err(|error| WorkerLoss::NotStarted { error: &described(&error) }.say())?;
        let on_event = Rc::new(on_event);
        let last_heard_ms = Rc::new(Cell::new(timers::now_ms()));
        let has_spoken = Rc::new(Cell::new(false));
        let expecting = Rc::new(Cell::new(true));

        let on_message = Closure::new({
            let (on_event, last_heard_ms, has_spoken) = (on_event.clone(), last_heard_ms.clone(), has_spoken.clone());
            move |message: MessageEvent| {
                last_heard_ms.set(timers::now_ms());
                has_spoken.set(true);
                match wire::from_js::<Event>(message.data()) {
                    Ok(event) => on_event(WorkerMessage::Event(event)),
                    Err(error) => {
                        on_event(WorkerMessage::Lost(WorkerLoss::NotAnEvent { error: &error.to_string() }.say()));
                    }
                }
            }
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));

        let on_error = Closure::new({
            let (on_event, url) = (on_event.clone(), worker_url.to_owned());
            move |error: web_sys::Event| {
                // A script that cannot be fetched gives a bare event; one that throws gives a message.
                let message = error.dyn_ref::<web_sys::ErrorEvent>().map(|error| error.message()).unwrap_or_default();
                error.prevent_default();
                if message.is_empty() {
                    let (on_event, url) = (on_event.clone(), url.clone());
                    wasm_bindgen_futures::spawn_local(async move {
                        let error = WorkerMissing { why: why_missing(&url).await }.say();
                        on_event(WorkerMessage::Event(Event::Unstartable(error)));
                    });
                } else {
                    on_event(WorkerMessage::Lost(WorkerLoss::Threw { error: &message }.say()));
                }
            }
        });
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));

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
        let client = EngineClient {
            worker,
            expecting,
            last_heard_ms,
            _on_message: on_message,
            _on_error: on_error,
            _watchdog: watchdog,
        };
        Ok(client)
    }

    pub fn post(&self, command: &Command) {
        self.last_heard_ms.set(timers::now_ms());
        if let Ok(message) = wire::to_js(command) {
            // Posting plain data fails only for a worker that is gone, and then the watchdog reports it.
            let _ = self.worker.post_message(&message);
        }
    }

    /// Does the worker owe an answer? Only then may its silence be held against it.
    pub fn expect(&self, expecting: bool) {
        if expecting && !self.expecting.get() {
            self.last_heard_ms.set(timers::now_ms());
        }
        self.expecting.set(expecting);
    }
}

/// `new Worker(url, options)`, with an address that strict pages take too.
fn started(url: &str, options: &WorkerOptions) -> Result<Worker, JsValue> {
    let constructor: Function = Reflect::get(&js_sys::global(), &"Worker".into())?.dyn_into()?;
    let arguments = Array::of2(&script_address(url), options);
    Ok(Reflect::construct(&constructor, &arguments)?.unchecked_into())
}

impl Drop for EngineClient {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}

/// Why the worker's script could not be loaded, where that can be seen; browsers do not say. Of a script that only leads
/// to the real one on another origin, why that one could not.
async fn why_missing(url: &str) -> Option<String> {
    let script = fetch::text(url).await;
    let real = script.as_ref().ok().and_then(|script| script.strip_prefix("import \"")?.strip_suffix("\";"));
    match real {
        Some(real) => fetch::text(real).await.err(),
        None => script.err(),
    }
}

/// What the browser says of an error.
fn described(error: &JsValue) -> String {
    let message = error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
    message.unwrap_or_else(|| format!("{error:?}"))
}
