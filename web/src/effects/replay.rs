//! Fetches the recorded run and tells it step by step, one step a task, so that no task is long.

use moe_trace::{StepTrace, TraceHeader};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use crate::browser::fetch;
use crate::run::recording::RECORDED_RUN;
use crate::state::{Action, replay};

/// Dispatches the recorded run at `url`. `on_step` gets every action, and for a step its plain object as well.
pub async fn replay(url: String, tell: impl Fn(Action, Option<JsValue>)) {
    let text = match fetch::text(&url).await {
        Ok(text) => text,
        Err(why) => return tell(Action::ReplayFailed(replay::unavailable(why)), None),
    };
    let parse_header = |line: &str| fetch::parse::<TraceHeader>(line).map(|(header, _)| header);
    match replay::header(&text, parse_header) {
        Ok(header) => tell(replay::began(header), None),
        Err(error) => return tell(Action::ReplayFailed(replay::unavailable(error)), None),
    }
    let mut num_layers = None;
    for (number, line) in replay::step_lines(&text).enumerate() {
        let read = fetch::parse::<StepTrace>(line)
            .and_then(|(step, plain)| replay::problem(&step, num_layers).map_or(Ok((step, plain)), Err));
        match read {
            Ok((step, plain)) => {
                num_layers.get_or_insert(step.layers.len());
                // The plain object is renumbered like the step itself; a fresh object takes any property.
                let _ = js_sys::Reflect::set(&plain, &"run".into(), &RECORDED_RUN.0.into());
                tell(replay::step(step), Some(plain));
            }
            Err(why) => {
                let why = format!("Step {number} of the file cannot be read: {why}");
                return tell(Action::ReplayFailed(replay::unavailable(why)), None);
            }
        }
        next_task().await;
    }
    tell(replay::finished(), None);
}

/// Lets the browser paint and react before going on.
async fn next_task() {
    let promise = js_sys::Promise::new(&mut |resolve, _reject| {
        if let Some(window) = web_sys::window() {
            // A timer that cannot be set would leave us waiting for ever, so then we go on at once.
            if window.set_timeout_with_callback(&resolve).is_err() {
                let _ = resolve.call0(&JsValue::NULL);
            }
        }
    });
    // The promise above is never rejected.
    let _ = JsFuture::from(promise).await;
}
