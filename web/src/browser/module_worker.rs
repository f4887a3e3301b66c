//! A worker that runs an ES module: started, spoken to in plain objects, ended when it is dropped.
//!
//! By hand rather than by gloo-worker, which speaks in bytes of its own to workers of the same build.

use js_sys::{Array, Function, Reflect};
use serde::Serialize;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{MessageEvent, Worker, WorkerOptions, WorkerType};

use crate::browser::fetch;
use crate::browser::trusted::script_address;
use crate::browser::wire;

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
    /// An error in the words of the browser where there can be no worker at all.
    pub fn start(
        url: &str,
        mut on_message: impl FnMut(JsValue) + 'static,
        on_fault: impl Fn(Fault) + Clone + 'static,
    ) -> Result<ModuleWorker, String> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = started(url, &options).map_err(|error| described(&error))?;
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
}

impl Drop for ModuleWorker {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}

/// `new Worker(url, options)`, with an address that strict pages take too.
fn started(url: &str, options: &WorkerOptions) -> Result<Worker, JsValue> {
    let constructor: Function = Reflect::get(&js_sys::global(), &"Worker".into())?.dyn_into()?;
    let arguments = Array::of2(&script_address(url), options);
    Ok(Reflect::construct(&constructor, &arguments)?.unchecked_into())
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
