//! A recorded run, read from a trace file line by line, told as the same events that a live engine sends.

use std::rc::Rc;

use moe_trace::{Event, FinishReason, RunRequest, StepTrace, TraceFile, TraceFileError, TraceHeader};

use crate::run::recording::RECORDED_RUN;
use crate::state::Action;

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

/// What is wrong with a step that reads well by itself: no view could draw it. `num_layers`: those of the first step.
pub fn problem(step: &StepTrace, num_layers: Option<usize>) -> Option<String> {
    let found = step.layers.len();
    match num_layers {
        _ if step.tokens.is_empty() => Some("it has no tokens".to_owned()),
        Some(expected) if found != expected => Some(format!("it has {found} layers, the first step has {expected}")),
        _ => None,
    }
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

#[cfg(test)]
mod tests {
    use moe_trace::{NextToken, RunId, TokenId, TracedToken};

    use super::*;

    #[test]
    fn steps_that_cannot_be_drawn_are_named() {
        let check = |num_tokens: usize, num_layers: Option<usize>, expected: Option<&str>| {
            let token = TracedToken { id: TokenId(1), bytes: b"a".to_vec(), loss: None };
            let next = NextToken { candidates: Vec::new(), chosen: None };
            let tokens = vec![token; num_tokens];
            let step = StepTrace { run: RunId(1), step: 0, first_position: 0, tokens, layers: Vec::new(), next };
            assert_eq!(problem(&step, num_layers).as_deref(), expected);
        };
        check(1, None, None);
        check(1, Some(0), None);
        check(0, None, Some("it has no tokens"));
        check(1, Some(4), Some("it has 0 layers, the first step has 4"));
    }
}
