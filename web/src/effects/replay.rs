//! Fetches the recorded run and tells it step by step, one step a task, so that no task is long.

use moe_trace::{SentStep, StepTrace, TraceHeader};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use crate::browser::{fetch, wire};
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
        Ok(header) => match replay::began(header) {
            Ok(began) => tell(began, None),
            Err(error) => return tell(Action::ReplayFailed(error), None),
        },
        Err(error) => return tell(Action::ReplayFailed(replay::unavailable(error)), None),
    }
    // As the file numbers them: steps that tell only what changed go on from the one before.
    let mut previous: Option<StepTrace> = None;
    let mut num_layers = None;
    for (number, line) in replay::step_lines(&text).enumerate() {
        let read = fetch::parse::<SentStep>(line).and_then(|(sent, plain)| {
            let is_whole = matches!(sent, SentStep::Whole(_));
            let step = sent.expand(previous.as_ref()).map_err(|error| error.to_string())?;
            let plain = if is_whole { plain } else { wire::to_js(&step).map_err(|error| error.to_string())? };
            replay::problem(&step, num_layers).map_or(Ok((step, plain)), Err)
        });
        match read {
            Ok((step, plain)) => {
                num_layers.get_or_insert(step.layers.len());
                // The plain object is renumbered like the step itself; a fresh object takes any property.
                let _ = js_sys::Reflect::set(&plain, &"run".into(), &RECORDED_RUN.0.into());
                previous = Some(step.clone());
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
