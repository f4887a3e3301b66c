//! Messages in and out, as plain objects.

pub mod patience;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use moe_trace::{Command, Event};
use serde::Serialize;
use wasm_bindgen::prelude::{Closure, JsCast, JsValue};
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent};

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

/// The global scope of this worker.
pub fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Posts an event to the page. Missing values are `null`, so that both sides see every field.
pub fn post(event: &Event) {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    match event.serialize(&serializer) {
        Ok(message) => {
            // Posting fails only for what cannot be cloned; events are numbers, texts and arrays.
            let _ = scope().post_message(&message);
        }
        Err(error) => web_sys::console::error_1(&JsValue::from_str(&error.to_string())),
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

/// Milliseconds since the worker began; only differences mean anything.
pub fn now_ms() -> f64 {
    scope().performance().map_or(0.0, |clock| clock.now())
}

/// Calls `receive` for every command that arrives from now on.
pub fn listen(receive: impl Fn(Command) + 'static) {
    let on_message = Closure::<dyn Fn(MessageEvent)>::new(move |message: MessageEvent| {
        match serde_wasm_bindgen::from_value::<Command>(message.data()) {
            Ok(command) => receive(command),
            Err(error) => {
                let error = moe_trace::UserError::new(
                    "The engine did not understand the page.",
                    "They are of different versions.",
                    "Reload the page.",
                )
                .with_details(error);
                post(&Event::Failed { run: None, error, fatal: false });
            }
        }
    });
    scope().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    // The worker listens as long as it lives.
    on_message.forget();
}
