//! The recorded run: fetched, and told step by step, one step a task, so that no task is long.

use moe_trace::{SentStep, StepTrace, TraceFileError, TraceHeader, TraceReader};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use yew::Callback;

use crate::browser::fetch;
use crate::effects::{Report, resolve};
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
            let tell = |action| report.emit(Report::Replay { replay, action });
            if let Err(why) = tell_steps(&url, &tell).await {
                tell(Action::ReplayFailed { why });
            }
        });
    }

    pub fn is_current(&self, replay: u32) -> bool {
        replay == self.num_replays
    }
}

/// Tells the run at `url`, action by action. Nothing is told of a run until its first step was read and is right, so that
/// a file that cannot be shown takes nothing from the screen.
async fn tell_steps(url: &str, tell: &impl Fn(Action)) -> Result<(), String> {
    let text = fetch::text(url).await?;
    let mut lines = moe_trace::lines(&text);
    let (_, first) = lines.next().ok_or_else(|| format!("{}.", TraceFileError::Empty))?;
    let reader = fetch::parse::<TraceHeader>(first).and_then(replay::reader);
    let mut reader = reader.map_err(|why| say!("The header of the file cannot be read: {why}.", why))?;
    let mut header = Some(reader.header().clone());
    for (number, (_, line)) in lines.enumerate() {
        let read = read_step(&mut reader, line);
        let step = read.map_err(|why| say!("Step {number} of the file cannot be read: {why}.", number, why))?;
        if let Some(header) = header.take() {
            tell(replay::began_with(header, &step)?);
        }
        tell(replay::step(step));
        next_task().await;
    }
    if header.is_some() {
        return Err(format!("{}.", TraceFileError::NoSteps));
    }
    tell(replay::finished());
    Ok(())
}

fn read_step(reader: &mut TraceReader, line: &str) -> Result<StepTrace, String> {
    replay::read(reader, fetch::parse::<SentStep>(line)?)
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
