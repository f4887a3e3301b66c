//! The recorded run: fetched, and told step by step, one step a task, so that no task is long.

use moe_trace::{SentStep, StepTrace, TraceFileError, TraceHeader, TraceReader};
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

/// Tells the run at `url`: every action, and for a step its plain object as well. Nothing is told of a file until all of
/// it was read and is right, so that a bad one takes nothing from the screen.
async fn tell_steps(url: &str, tell: &impl Fn(Action, Option<JsValue>)) -> Result<(), String> {
    let text = fetch::text(url).await?;
    let at = |line: usize| move |why: String| format!("{}.", TraceFileError::Line { line, reason: why });
    let whole = |error: TraceFileError| format!("{error}.");
    let mut lines = moe_trace::lines(&text);
    let (line, first) = lines.next().ok_or(whole(TraceFileError::Empty))?;
    let header = fetch::parse::<TraceHeader>(first).map(|(header, _)| header);
    let mut reader = header.and_then(replay::reader).map_err(at(line))?;
    let mut steps = Vec::new();
    for (line, text) in lines {
        steps.push(read_step(&mut reader, text).map_err(at(line))?);
        next_task().await;
    }
    if steps.is_empty() {
        return Err(whole(TraceFileError::NoSteps));
    }
    tell(replay::began(reader.header().clone())?, None);
    for (step, plain) in steps {
        tell(replay::step(step), Some(plain));
        next_task().await;
    }
    tell(replay::finished(), None);
    Ok(())
}

/// A step, and the plain object of it.
fn read_step(reader: &mut TraceReader, line: &str) -> Result<(StepTrace, JsValue), String> {
    let (sent, plain) = fetch::parse::<SentStep>(line)?;
    let is_whole = sent.is_whole();
    let step = replay::read(reader, sent)?;
    let plain = if is_whole { plain } else { wire::to_js(&step).map_err(|error| error.to_string())? };
    // The plain object is numbered like the step itself; a fresh object takes any property.
    for (key, number) in [("run", RECORDED_RUN.0), ("step", step.step)] {
        let _ = js_sys::Reflect::set(&plain, &key.into(), &number.into());
    }
    Ok((step, plain))
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
