//! A recorded run, read from a trace file line by line, told as the same events that a live engine sends.

use std::rc::Rc;

use moe_trace::{
    Event, FinishReason, RunRequest, Sequences, Source, StepTrace, TraceFile, TraceFileError, TraceHeader,
};

use crate::run::recording::{RECORDED_RUN, Recording};
use crate::run::shared::Shared;
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
    if matches!(step.sequences, Sequences::Batch { .. }) {
        return Some("it has several texts, and the page draws one".to_owned());
    }
    if step.tokens.is_empty() {
        return Some("it has no tokens".to_owned());
    }
    if let Some(expected) = num_layers.filter(|expected| *expected != found) {
        return Some(format!("it has {found} layers, the first step has {expected}"));
    }
    let foreign = step.layers.iter().find(|layer| layer.routing().is_none())?.layer;
    Some(format!("layer {foreign} has no whole routing, and the page cannot draw parts of one yet"))
}

/// Of a run of ours, which says what was asked for; the page cannot show others yet.
pub fn began(header: TraceHeader) -> Result<Action, String> {
    let (Some(model), Some(request)) = (header.model, header.request) else {
        let producer = header.origin.producer;
        return Err(format!("It was written down by {producer}; the page shows only runs of its own yet."));
    };
    let request = RunRequest { run: RECORDED_RUN, ..request };
    let is_imported = header.origin.source == Source::Imported;
    let source = if is_imported { Source::Imported } else { Source::Recorded };
    Ok(Action::ReplayBegan(Shared::new(Recording::new(source, Rc::new(model), request))))
}

/// The run is renumbered, so that it can never be mistaken for a live one.
pub fn step(trace: StepTrace) -> Action {
    Action::Engine(Event::Step { trace: StepTrace { run: RECORDED_RUN, ..trace }.into(), elapsed_ms: 0.0 })
}

pub fn finished() -> Action {
    Action::Engine(Event::Finished { run: RECORDED_RUN, reason: FinishReason::Length })
}

#[cfg(test)]
mod tests {
    use moe_trace::{LayerIdx, LayerTrace, NextToken, RunId, TokenId, TracedToken};

    use super::*;

    #[test]
    fn steps_that_cannot_be_drawn_are_named() {
        let check = |num_tokens: usize, layers: Vec<LayerTrace>, num_layers: Option<usize>, expected: Option<&str>| {
            let token = TracedToken::text(TokenId(1), b"a".to_vec(), None);
            let next = NextToken { candidates: Vec::new(), chosen: None };
            let tokens = vec![token; num_tokens];
            let step = StepTrace::of_text(RunId(1), 0, 0, tokens, layers, next);
            assert_eq!(problem(&step, num_layers).as_deref(), expected);
        };
        check(1, vec![], None, None);
        check(1, vec![], Some(0), None);
        check(0, vec![], None, Some("it has no tokens"));
        check(1, vec![], Some(4), Some("it has 0 layers, the first step has 4"));
        let partial = "layer 3 has no whole routing, and the page cannot draw parts of one yet";
        check(1, vec![LayerTrace::empty(LayerIdx(3))], None, Some(partial));
    }
}
