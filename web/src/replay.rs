//! A recorded run, read from a trace file line by line, told as the same events that a live engine sends.

use std::rc::Rc;

use moe_trace::{Event, FinishReason, RunRequest, StepTrace, TraceFile, TraceFileError, TraceHeader, UserError};

use crate::state::{Action, RECORDED_RUN};

/// Reads the first line of a trace file; the remaining lines are its steps.
///
/// No steps are parsed here: they are many, and the page must stay responsive between them.
pub fn header(text: &str, parse: impl Fn(&str) -> Result<TraceHeader, String>) -> Result<TraceHeader, TraceFileError> {
    let first_line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let no_steps = |line: &str| Err(format!("a text of one line has no second one: {line}"));
    Ok(TraceFile::from_lines(first_line, parse, no_steps)?.header)
}

/// The lines after the header, blank ones left out.
pub fn step_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim().is_empty()).skip(1)
}

pub fn began(header: TraceHeader) -> Action {
    let request = RunRequest { run: RECORDED_RUN, ..header.request.clone() };
    Action::ReplayBegan(Rc::new(TraceHeader { request, ..header }))
}

/// The run is renumbered, so that it can never be mistaken for a live one.
pub fn step(trace: StepTrace) -> Action {
    Action::Engine(Event::Step { trace: StepTrace { run: RECORDED_RUN, ..trace }, elapsed_ms: 0.0 })
}

pub fn finished() -> Action {
    Action::Engine(Event::Finished { run: RECORDED_RUN, reason: FinishReason::Length })
}

pub fn unavailable(why: impl std::fmt::Display) -> UserError {
    UserError::new(
        "The recorded run could not be shown.",
        why.to_string(),
        "Reload the page; a live run does not depend on it.",
    )
}
