//! A worker that runs an ES module: started, spoken to in plain objects, ended when it is dropped.
//!
//! The element starts it, and may give a share of one that works for other figures too; it looks the same. By hand rather than
//! by gloo-worker, which speaks in bytes of its own to workers of the same build.

use std::cell::RefCell;

use js_sys::{Function, Reflect};
use serde::Serialize;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{MessageEvent, Worker};

use crate::browser::fetch;
use crate::browser::wire;

thread_local! {
    /// The element's function that starts workers.
    static STARTER: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Workers are started by this function from now on: of an address, and where it is shared of the command that begins it.
pub fn start_by(starter: Option<Function>) {
    STARTER.replace(starter);
}

pub struct ModuleWorker {
    worker: Worker,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(web_sys::Event)>,
}

/// Why a worker does not work.
pub enum Fault {
    /// Its script could not be loaded; why, where that can be seen.
    Missing(Option<String>),
    /// It threw this.
    Threw(String),
}

impl ModuleWorker {
    /// An error in the words of the browser where there can be no worker at all. With a first command, which it is sent, the
    /// worker is shared by all who begin with the same.
    pub fn start(
        url: &str,
        first: Option<&JsValue>,
        mut on_message: impl FnMut(JsValue) + 'static,
        on_fault: impl Fn(Fault) + Clone + 'static,
    ) -> Result<ModuleWorker, String> {
        let worker = started(url, first).map_err(|error| described(&error))?;
        let on_message = Closure::new(move |message: MessageEvent| on_message(message.data()));
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        let url = url.to_owned();
        let on_error = Closure::new(move |error: web_sys::Event| {
            // A script that cannot be fetched gives a bare event; one that throws gives a message.
            let message = error.dyn_ref::<web_sys::ErrorEvent>().map(|error| error.message()).unwrap_or_default();
            error.prevent_default();
            if message.is_empty() {
                let (on_fault, url) = (on_fault.clone(), url.clone());
                wasm_bindgen_futures::spawn_local(async move { on_fault(Fault::Missing(why_missing(&url).await)) });
            } else {
                on_fault(Fault::Threw(message));
            }
        });
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Ok(ModuleWorker { worker, _on_message: on_message, _on_error: on_error })
    }

    pub fn post(&self, command: &impl Serialize) {
        // Posting plain data fails only for a worker that is gone, and then others report it.
        let _ = self.worker.post_message(&wire::to_js(command));
    }

    /// Of a worker that is shared: what is posted next is in no hurry, or is.
    pub fn set_patient(&self, is_patient: bool) {
        // An object of the element's takes any property.
        let _ = Reflect::set(&self.worker, &"isPatient".into(), &is_patient.into());
    }

    /// Of a worker that is shared: nobody can expect anything of it, for this reason.
    pub fn give_up(&self, error: &impl Serialize) {
        let lost = Reflect::get(&self.worker, &"lost".into()).and_then(JsCast::dyn_into::<Function>);
        if let Ok(lost) = lost {
            // The others hear of it in their own time.
            let _ = lost.call1(&self.worker, &wire::to_js(error));
        }
    }
}

impl Drop for ModuleWorker {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}

fn started(url: &str, first: Option<&JsValue>) -> Result<Worker, JsValue> {
    let starter = STARTER.with_borrow(Clone::clone).ok_or("nobody starts workers for this page")?;
    let nothing = JsValue::UNDEFINED;
    Ok(starter.call2(&nothing, &url.into(), first.unwrap_or(&nothing))?.unchecked_into())
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
    message.or_else(|| error.as_string()).unwrap_or_else(|| format!("{error:?}"))
}
