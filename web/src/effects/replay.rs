//! The recorded run: fetched, and told step by step, one step a task, so that no task is long.

use moe_trace::{SentStep, StepTrace, TraceHeader};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use yew::Callback;

use crate::browser::{fetch, wire};
use crate::effects::{Report, resolve};
use crate::run::recording::RECORDED_RUN;
use crate::settings::attributes::Config;
use crate::state::{Action, replay};

pub struct ReplayRunner {
    report: Callback<Report>,
    num_replays: u32,
}

impl ReplayRunner {
    pub fn new(report: Callback<Report>) -> ReplayRunner {
        ReplayRunner { report, num_replays: 0 }
    }

    /// Fetches what the configuration names now; an earlier one is ignored.
    pub fn fetch(&mut self, config: &Config) {
        self.num_replays += 1;
        let (report, replay) = (self.report.clone(), self.num_replays);
        let url = resolve(config, config.trace_url.as_deref(), "../traces/default.jsonl");
        wasm_bindgen_futures::spawn_local(async move {
            let tell = |action, plain| report.emit(Report::Replay { replay, action, plain });
            if let Err(why) = tell_steps(&url, &tell).await {
                tell(Action::ReplayFailed { why }, None);
            }
        });
    }

    pub fn is_current(&self, replay: u32) -> bool {
        replay == self.num_replays
    }
}

/// Tells the run at `url`: every action, and for a step its plain object as well.
async fn tell_steps(url: &str, tell: &impl Fn(Action, Option<JsValue>)) -> Result<(), String> {
    let text = fetch::text(url).await?;
    let parse_header = |line: &str| fetch::parse::<TraceHeader>(line).map(|(header, _)| header);
    let header = replay::header(&text, parse_header).map_err(|error| error.to_string())?;
    tell(replay::began(header)?, None);
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
        let (step, plain) = read.map_err(|why| format!("Step {number} of the file cannot be read: {why}"))?;
        num_layers.get_or_insert(step.layers.len());
        // The plain object is renumbered like the step itself; a fresh object takes any property.
        let _ = js_sys::Reflect::set(&plain, &"run".into(), &RECORDED_RUN.0.into());
        previous = Some(step.clone());
        tell(replay::step(step), Some(plain));
        next_task().await;
    }
    tell(replay::finished(), None);
    Ok(())
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
