//! A whole step: its tokens and expectations, where its text goes on from the step before, and its layers.

use crate::check::layer::layer;
use crate::header::TraceHeader;
use crate::ids::LayerIdx;
use crate::limits::{ENTRIES, LAYERS, TOKEN_BYTES, TOKENS};
use crate::spec::RoutingGroup;
use crate::token::TracedToken;
use crate::trace::{BatchEntry, Candidate, NextToken, SequenceStep, Sequences, StepTrace};
use crate::wrong::{Place, Wrong};

/// `previous`: the step before, of the same run.
pub fn step(step: &StepTrace, header: &TraceHeader, previous: Option<&StepTrace>) -> Result<(), Wrong> {
    let at = Place::of_step(step.step);
    at.at_most(format_args!("the number of tokens"), step.tokens.len() as u64, "the format", TOKENS)?;
    for (number, token) in step.tokens.iter().enumerate() {
        traced_token(at, &format_args!("tokens[{number}]"), token, header)?;
    }
    match &step.sequences {
        Sequences::One(sequence) => part(at, sequence, step.tokens.len() as u64, header)?,
        Sequences::Batch { sequences } => {
            let most = header.request.as_ref().map_or(TOKENS, |request| 1 + request.companions.len() as u64);
            for entry in sequences {
                at.index(format_args!("the number of a sequence"), entry.sequence.into(), "that of prompts", most)?;
                part(at, &entry.step, entry.num_tokens.into(), header)?;
            }
        }
    }
    if let Some(request) = &header.request {
        continues(at, step, request.group, previous)?;
    }
    layers(at, step, header, previous)
}

fn traced_token(
    at: Place,
    field: &std::fmt::Arguments,
    token: &TracedToken,
    header: &TraceHeader,
) -> Result<(), Wrong> {
    at.at_most(format_args!("the length of {field}"), token.bytes().len() as u64, "the format", TOKEN_BYTES)?;
    if let (Some(id), Some(model)) = (token.id, &header.model) {
        at.index(format_args!("{field}.id"), id.0.into(), "model.vocab_size", model.vocab_size.into())?;
    }
    match token.loss {
        // A sure thing may round to a little less than nothing.
        Some(loss) => at.number(format_args!("{field}.loss"), loss, -0.001, f32::MAX),
        None => Ok(()),
    }
}

/// What the step has of one text.
fn part(at: Place, part: &SequenceStep, num_tokens: u64, header: &TraceHeader) -> Result<(), Wrong> {
    let end = u64::from(part.first_position) + num_tokens;
    match &header.model {
        Some(model) => {
            at.at_most(format_args!("the end of its text"), end, "model.max_tokens", model.max_tokens.into())?
        }
        None => at.at_most(format_args!("the end of its text"), end, "the format", u64::from(u32::MAX / 2))?,
    }
    if let Some(prompt) = part.num_prompt_tokens {
        at.at_most(format_args!("num_prompt_tokens"), prompt.into(), "the number of tokens", num_tokens)?;
    }
    if let Some(tail) = &part.unrouted_tail {
        traced_token(at, &format_args!("unrouted_tail"), tail, header)?;
    }
    match &part.next {
        Some(next) => expectation(at, next, header),
        None => Ok(()),
    }
}

fn expectation(at: Place, next: &NextToken, header: &TraceHeader) -> Result<(), Wrong> {
    at.at_most(format_args!("the number of next.candidates"), next.candidates.len() as u64, "the format", ENTRIES)?;
    let candidate = |field: std::fmt::Arguments, candidate: &Candidate| {
        at.at_most(format_args!("the length of {field}"), candidate.bytes.len() as u64, "the format", TOKEN_BYTES)?;
        if let Some(model) = &header.model {
            at.index(format_args!("{field}.id"), candidate.id.0.into(), "model.vocab_size", model.vocab_size.into())?;
        }
        at.number(format_args!("{field}.probability"), candidate.probability, 0.0, MOST)
    };
    let mut before = MOST;
    for (number, of_list) in next.candidates.iter().enumerate() {
        candidate(format_args!("next.candidates[{number}]"), of_list)?;
        let field = format_args!("next.candidates[{number}].probability");
        if of_list.probability > before {
            return Err(at.wrong(field, of_list.probability, format_args!(", and that of the one before is {before}")));
        }
        before = of_list.probability;
    }
    let sum = next.candidates.iter().map(|candidate| candidate.probability).sum();
    at.number(format_args!("the sum of the candidates' probabilities"), sum, 0.0, MOST)?;
    next.chosen.iter().try_for_each(|chosen| candidate(format_args!("next.chosen"), chosen))
}

/// A probability, and a sum of them, may round to a little more than 1.
const MOST: f32 = 1.001;

/// Does the text of a run of ours go on where it was, with the token that was chosen?
fn continues(at: Place, step: &StepTrace, group: RoutingGroup, previous: Option<&StepTrace>) -> Result<(), Wrong> {
    let is_batch = matches!(step.sequences, Sequences::Batch { .. });
    if is_batch != (group == RoutingGroup::Batch) {
        let (found, why) = if is_batch { ("several", "one") } else { ("one", "a batch") };
        return Err(at.wrong(
            format_args!("the number of texts"),
            found,
            format_args!(", and request.group is of {why}"),
        ));
    }
    if let Sequences::Batch { sequences } = &step.sequences {
        return texts_continue(at, step, sequences, previous);
    }
    let first = u64::from(step.first_position());
    let whole_text = group == RoutingGroup::ThisText;
    let before = previous.map_or(&[][..], |previous| &previous.tokens);
    let expected = match previous {
        Some(previous) if !whole_text => u64::from(previous.first_position()) + before.len() as u64,
        _ => 0,
    };
    at.equal(format_args!("first_position"), first, "the end of the text before", expected)?;
    let ids = |token: &TracedToken| token.id.map(|id| id.0);
    let mut new = step.tokens.as_slice();
    if whole_text {
        let least = before.len();
        if new.len() < least {
            let why = format_args!(", and the step before has {least}");
            return Err(at.wrong(format_args!("the number of tokens"), new.len(), why));
        }
        if let Some(number) = before.iter().zip(new).position(|(before, now)| ids(before) != ids(now)) {
            let of = |token: &TracedToken| ids(token).map_or("unknown".to_owned(), |id| id.to_string());
            let why = format_args!(", and in the step before it is {}", of(&before[number]));
            return Err(at.wrong(format_args!("tokens[{number}].id"), of(&new[number]), why));
        }
        new = &new[least..];
    }
    let chosen = previous.and_then(|previous| previous.next()?.chosen.as_ref()).map(|chosen| chosen.id.0);
    match (chosen, new.first().and_then(ids)) {
        (Some(chosen), Some(came)) => at.equal(
            format_args!("the id of its first new token"),
            came.into(),
            "next.chosen of the step before",
            chosen.into(),
        ),
        _ => Ok(()),
    }
}

/// Does each text of a batch of ours come once, in order, and go on where it was, with the token that was chosen?
fn texts_continue(
    at: Place,
    step: &StepTrace,
    entries: &[BatchEntry],
    previous: Option<&StepTrace>,
) -> Result<(), Wrong> {
    let entries_before = match previous.map(|previous| &previous.sequences) {
        Some(Sequences::Batch { sequences }) => sequences.as_slice(),
        _ => &[],
    };
    let (mut before, mut token) = (None, 0);
    for (number, entry) in entries.iter().enumerate() {
        let text = entry.sequence;
        if let Some(before) = before.replace(text).filter(|before| *before >= text) {
            let field = format_args!("sequences[{number}].sequence");
            return Err(at.wrong(field, text, format_args!(", and that of the one before is {before}")));
        }
        let its = entries_before.iter().find(|its| its.sequence == text);
        let end = its.map_or(0, |its| u64::from(its.step.first_position) + u64::from(its.num_tokens));
        let field = format_args!("sequences[{number}].first_position");
        at.equal(field, entry.step.first_position.into(), "the end of its text before", end)?;
        let chosen = its.and_then(|its| its.step.next.as_ref()?.chosen.as_ref()).map(|chosen| chosen.id.0);
        let came = step.tokens.get(token).filter(|_| entry.num_tokens > 0).and_then(|token| token.id);
        if let (Some(chosen), Some(came)) = (chosen, came) {
            let field = format_args!("the id of the first token of text {text}");
            at.equal(field, came.0.into(), "next.chosen of the step before", chosen.into())?;
        }
        token += entry.num_tokens as usize;
    }
    Ok(())
}

fn layers(at: Place, step: &StepTrace, header: &TraceHeader, previous: Option<&StepTrace>) -> Result<(), Wrong> {
    let known = header.routes.moe_layer_ids.as_deref();
    let most = known.map_or(LAYERS, |ids| ids.len() as u64);
    let num_layers = step.layers.len() as u64;
    at.at_most(format_args!("the number of layers"), num_layers, "routes.moe_layer_ids", most)?;
    if header.model.is_some() {
        at.equal(format_args!("the number of layers"), num_layers, "that of routes.moe_layer_ids", most)?;
    }
    // What has a request is one run of one model, whether that is ours or not.
    if let (Some(previous), true) = (previous, header.model.is_some() || header.request.is_some()) {
        let before = previous.layers.len() as u64;
        at.equal(format_args!("the number of layers"), num_layers, "that of the step before", before)?;
    }
    let mut before: Option<LayerIdx> = None;
    for (number, of_layer) in step.layers.iter().enumerate() {
        let LayerIdx(id) = of_layer.layer;
        let field = format_args!("layers[{number}].layer");
        if let Some(before) = before.filter(|before| *before >= of_layer.layer) {
            return Err(at.wrong(field, id, format_args!(", and that of the one before is {before}")));
        }
        match known {
            Some(ids) if ids.binary_search(&of_layer.layer).is_err() => {
                return Err(at.wrong(field, id, format_args!(", which routes.moe_layer_ids does not list")));
            }
            Some(_) => {}
            None => at.at_most(field, id.into(), "the format", LAYERS)?,
        }
        before = Some(of_layer.layer);
        layer(at.of_layer(of_layer.layer), of_layer, &header.routes)?;
    }
    Ok(())
}
