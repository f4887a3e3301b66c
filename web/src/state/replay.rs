//! A recorded run, read from a trace file line by line, told as the same events that a live engine sends.

use std::rc::Rc;

use moe_router::Router;
use moe_trace::{
    Event, ExpertCount, FinishReason, ModelInfo, RoutingSpec, RunRequest, SentStep, Sequences, Source, StepTrace,
    TraceHeader, TraceReader,
};

use crate::run::recording::{RECORDED_RUN, Recording};
use crate::run::shared::Shared;
use crate::state::Action;

/// Tokens of a text that the page draws, at most.
const MAX_TOKENS: usize = 4096;
/// Cells of the matrix of tokens, layers and experts that it draws, at most.
const MAX_CELLS: usize = 1 << 18;

/// Reads the steps after this header; refuses a run that the page could not show.
pub fn reader(header: TraceHeader) -> Result<TraceReader, String> {
    let reader = TraceReader::new(header).map_err(|error| error.to_string())?;
    let header = reader.header();
    match (&header.model, &header.request) {
        (Some(model), Some(request)) => can_route(model.num_experts, [model.trained_routing, request.routing])?,
        (None, Some(request)) => can_route(num_experts_of(header)?, [request.routing; 2])?,
        (_, None) => {
            let producer = &header.origin.producer;
            return Err(say!(
                "it was written down by {producer} without its routing rule, so nobody can say what it means",
                producer
            ));
        }
    }
    Ok(reader)
}

/// Another program may not know its model's experts; then they cannot be drawn.
fn num_experts_of(header: &TraceHeader) -> Result<u32, String> {
    match header.routes.num_experts {
        ExpertCount::Exactly(count) => Ok(count),
        _ => Err(say!("it does not say how many experts a layer has").into_owned()),
    }
}

/// Are there such rules, for so many experts?
fn can_route(num_experts: u32, [trained, asked]: [RoutingSpec; 2]) -> Result<(), String> {
    for (field, routing) in [("model.trained_routing", trained), ("request.routing", asked)] {
        Router::new(routing, num_experts as usize).map_err(|error| say!("{field} cannot be: {error}", field, error))?;
    }
    Ok(())
}

/// The next step, checked against all that came before it.
pub fn read(reader: &mut TraceReader, sent: SentStep) -> Result<StepTrace, String> {
    let step = reader.read(sent).map_err(|error| error.to_string())?;
    let is_foreign = reader.header().model.is_none();
    let uncounted = step.layers.iter().zip(0..).find(|(layer, at)| is_foreign && layer.layer.0 != *at);
    if let Some((layer, at)) = uncounted {
        return Err(say!(
            "layer {at} of its layers is {number}; the page shows those that count from 0",
            at,
            number = layer.layer
        ));
    }
    match problem(&step) {
        Some(problem) => Err(problem),
        None => Ok(step),
    }
}

/// What is wrong with a step that is right by itself: no view could draw it.
pub fn problem(step: &StepTrace) -> Option<String> {
    let (num_tokens, num_layers) = (step.tokens.len(), step.layers.len());
    if matches!(step.sequences, Sequences::Batch { .. }) {
        return Some(say!("it has several texts, and the page draws one").into_owned());
    }
    if num_tokens == 0 {
        return Some(say!("it has no tokens").into_owned());
    }
    if let Some(foreign) = step.layers.iter().find(|layer| layer.routing().is_none()) {
        let layer = foreign.layer;
        return Some(say!("layer {layer} has no whole routing, and the page cannot draw parts of one yet", layer));
    }
    let text = num_tokens.saturating_add(step.first_position() as usize);
    if text > MAX_TOKENS {
        return Some(say!("the text has {text} tokens; the page draws at most {most}", text, most = MAX_TOKENS));
    }
    let num_experts = step.layers.iter().filter_map(|layer| layer.routing()).map(|routing| routing.num_experts).max();
    let num_experts = num_experts.unwrap_or_default() as usize;
    let is_large = text.saturating_mul(num_layers).saturating_mul(num_experts) > MAX_CELLS;
    is_large.then(|| {
        say!(
            "{text} tokens, {num_layers} layers and {num_experts} experts are too many to draw; \
             at most {most} cells are drawn",
            text,
            num_layers,
            num_experts,
            most = MAX_CELLS
        )
    })
}

/// A run begins, still without steps: one that the reader above did not refuse, with its first step.
pub fn began_with(header: TraceHeader, first: &StepTrace) -> Result<Action, String> {
    match (&header.model, &header.request) {
        (None, Some(request)) => {
            let request = RunRequest { run: RECORDED_RUN, ..request.clone() };
            let model = model_of(&header, first, request.routing)?;
            Ok(Action::ReplayBegan(Shared::new(Recording::of_others(header, model, request))))
        }
        _ => began(header),
    }
}

/// A run of ours begins.
pub fn began(header: TraceHeader) -> Result<Action, String> {
    let (Some(model), Some(request)) = (header.model, header.request) else {
        return Err(say!("it is no run of this playground").into_owned());
    };
    let request = RunRequest { run: RECORDED_RUN, ..request };
    let is_imported = header.origin.source == Source::Imported;
    let source = if is_imported { Source::Imported } else { Source::Recorded };
    Ok(Action::ReplayBegan(Shared::new(Recording::new(source, Rc::new(model), request))))
}

/// What the header and the first step of another program's run say of its model.
fn model_of(header: &TraceHeader, first: &StepTrace, routing: RoutingSpec) -> Result<ModelInfo, String> {
    let origin = &header.origin;
    Ok(ModelInfo {
        name: origin.model_name.as_ref().unwrap_or(&origin.producer).clone(),
        weights_sha256: String::new(),
        num_parameters: 0,
        num_active_parameters: 0,
        weights_bytes: 0,
        num_layers: first.layers.len() as u32,
        num_experts: num_experts_of(header)?,
        num_shared_experts: 0,
        vocab_size: 0,
        max_tokens: MAX_TOKENS as u32,
        training_tokens: None,
        trained_routing: routing,
    })
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
    use moe_trace::{GateLogits, LayerIdx, LayerTrace, NextToken, Routing, RunId, TokenId, TracedToken};

    use super::*;

    #[test]
    fn steps_that_cannot_be_drawn_are_named() {
        let check = |num_tokens: usize, layers: Vec<LayerTrace>, expected: Option<&str>| {
            let token = TracedToken::text(TokenId(1), b"a".to_vec(), None);
            let next = NextToken { candidates: Vec::new(), chosen: None };
            let tokens = vec![token; num_tokens];
            let step = StepTrace::of_text(RunId(1), 0, 0, tokens, layers, next);
            assert_eq!(problem(&step).as_deref(), expected);
        };
        let layer = |num_tokens: u32, num_experts: u32| {
            let logits = GateLogits::new(num_experts as usize, Vec::new()).expect("no rows");
            let routing = Routing { num_tokens, num_experts, capacity: None, assignments: Vec::new() };
            LayerTrace::decided(LayerIdx(0), logits, routing)
        };
        check(1, vec![], None);
        check(0, vec![], Some("it has no tokens"));
        let partial = "layer 3 has no whole routing, and the page cannot draw parts of one yet";
        check(1, vec![LayerTrace::empty(LayerIdx(3))], Some(partial));
        check(4096, vec![layer(4096, 64)], None);
        check(4097, vec![], Some("the text has 4097 tokens; the page draws at most 4096"));
        let large = "4096 tokens, 1 layers and 65 experts are too many to draw; at most 262144 cells are drawn";
        check(4096, vec![layer(4096, 65)], Some(large));
    }
}
