//! Fetches the recorded run and tells it step by step, one step a task, so that no task is long.

use moe_trace::{StepTrace, TraceHeader};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::state::{Action, RECORDED_RUN};
use crate::{replay, wire};

/// Dispatches the recorded run at `url`. `on_step` gets every action, and for a step its plain object as well.
pub async fn replay(url: String, tell: impl Fn(Action, Option<JsValue>)) {
    let text = match fetch_text(&url).await {
        Ok(text) => text,
        Err(why) => return tell(Action::ReplayFailed(replay::unavailable(why)), None),
    };
    let parse_header = |line: &str| parse::<TraceHeader>(line).map(|(header, _)| header);
    match replay::header(&text, parse_header) {
        Ok(header) => tell(replay::began(header), None),
        Err(error) => return tell(Action::ReplayFailed(replay::unavailable(error)), None),
    }
    for (number, line) in replay::step_lines(&text).enumerate() {
        match parse::<StepTrace>(line) {
            Ok((step, plain)) => {
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

/// The value of a line of JSON, and the plain object it was read from.
fn parse<T: serde::de::DeserializeOwned>(line: &str) -> Result<(T, JsValue), String> {
    let plain = js_sys::JSON::parse(line).map_err(|error| describe(&error))?;
    let value = wire::from_js(plain.clone()).map_err(|error| error.to_string())?;
    Ok((value, plain))
}

async fn fetch_text(url: &str) -> Result<String, String> {
    let window = web_sys::window().ok_or("There is no window.")?;
    let response = JsFuture::from(window.fetch_with_str(url)).await.map_err(|error| describe(&error))?;
    let response: web_sys::Response = response.dyn_into().map_err(|_| "The answer is no response.".to_owned())?;
    if !response.ok() {
        return Err(format!("{url} answered with status {}.", response.status()));
    }
    let text = response.text().map_err(|error| describe(&error))?;
    let text = JsFuture::from(text).await.map_err(|error| describe(&error))?;
    text.as_string().ok_or_else(|| format!("{url} is no text."))
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

fn describe(error: &JsValue) -> String {
    match error.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.message()),
        None => format!("{error:?}"),
    }
}
