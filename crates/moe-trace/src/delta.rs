//! Steps whose earlier rows did not change: only the rows from `input_start_position` on are sent, and the reader takes
//! the others from the step before. Everybody but the wire sees whole steps.

pub mod telling;

use serde::{Deserialize, Serialize};

use crate::ids::{LayerIdx, RunId};
use crate::layer_trace::{Decision, LayerTrace, OutputNorms};
use crate::routing::{Assignment, Routing};
use crate::rows::Rows;
use crate::trace::{RawStep, Sequences, StepError, StepTrace};

/// A step as it crosses a boundary: whole, or without the rows that are as in the step before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "codegen", schemars(!try_from))]
#[serde(untagged, try_from = "RawStep")]
pub enum SentStep {
    // The longer form first, for readers that try one after the other.
    Delta(StepDelta),
    Whole(StepTrace),
}

/// The rows of a step from `input_start_position` on. The routing group is the whole step nevertheless: `num_tokens`,
/// `capacity` and the token indices of `routing`, and the indices of `rows`, count from the step's first token.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct StepDelta {
    /// Position in the text of the first row here. The rows from `first_position` to here are as in the step before, for
    /// the tokens and for every layer.
    input_start_position: u32,
    #[serde(flatten)]
    rest: StepTrace,
}

/// Why a delta does not make a whole step.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DeltaError {
    #[error("step {step} tells only what changed, and there is no step before it")]
    NoPrevious { step: u32 },
    #[error(
        "step {step} of run {run} tells only what changed; before it came step {previous_step} of run {previous_run}"
    )]
    NotNext { run: RunId, step: u32, previous_run: RunId, previous_step: u32 },
    #[error(
        "step {step} goes on from position {input_start_position} of a text that begins at {first_position}; the step before it had the positions {previous_first} to {previous_end}"
    )]
    Reach { step: u32, input_start_position: u32, first_position: u32, previous_first: u32, previous_end: u32 },
    #[error("step {step} has {found} layers, the step before it {expected}")]
    Layers { step: u32, found: usize, expected: usize },
    #[error("step {step}, layer {layer}: {column} differs in kind or width from that of the step before")]
    Column { step: u32, layer: LayerIdx, column: &'static str },
    #[error(transparent)]
    Step(#[from] StepError),
}

impl From<StepTrace> for SentStep {
    fn from(whole: StepTrace) -> SentStep {
        SentStep::Whole(whole)
    }
}

impl TryFrom<RawStep> for SentStep {
    type Error = StepError;

    fn try_from(raw: RawStep) -> Result<SentStep, StepError> {
        let (step, start) = (raw.step, raw.input_start_position);
        let rest = raw.unchecked()?;
        let first_position = rest.first_position();
        let Some(input_start_position) = start.filter(|start| *start != first_position) else {
            return Ok(SentStep::Whole(rest.checked()?));
        };
        // Several texts have several positions: there are no deltas of batches.
        let is_one = matches!(rest.sequences, Sequences::One(_));
        let Some(kept) = input_start_position.checked_sub(first_position).filter(|_| is_one) else {
            return Err(StepError::Start { step, input_start_position, first_position });
        };
        let kept = kept as usize;
        for layer in &rest.layers {
            let checked = layer.check(kept, kept + rest.tokens.len());
            checked.map_err(|reason| StepError::Layer { step, reason })?;
        }
        Ok(SentStep::Delta(StepDelta { input_start_position, rest }))
    }
}

impl SentStep {
    /// The shortest form of a whole step for a reader who has the step before it.
    pub fn after(previous: &StepTrace, whole: &StepTrace) -> SentStep {
        match num_kept(previous, whole) {
            0 => SentStep::Whole(whole.clone()),
            kept => {
                let StepTrace { run, step, pass, sequences, tokens, layers } = whole;
                let rest = StepTrace {
                    run: *run,
                    step: *step,
                    pass: *pass,
                    sequences: sequences.clone(),
                    tokens: tokens[kept..].to_vec(),
                    layers: layers.iter().map(|layer| rows_from(layer, kept)).collect(),
                };
                SentStep::Delta(StepDelta { input_start_position: whole.first_position() + kept as u32, rest })
            }
        }
    }

    pub fn run(&self) -> RunId {
        match self {
            SentStep::Whole(step) | SentStep::Delta(StepDelta { rest: step, .. }) => step.run,
        }
    }

    pub fn step(&self) -> u32 {
        match self {
            SentStep::Whole(step) | SentStep::Delta(StepDelta { rest: step, .. }) => step.step,
        }
    }

    pub fn is_whole(&self) -> bool {
        matches!(self, SentStep::Whole(_))
    }

    /// The numbers it was sent with.
    pub(crate) fn num_numbers(&self) -> u64 {
        match self {
            SentStep::Whole(step) | SentStep::Delta(StepDelta { rest: step, .. }) => step.num_numbers(),
        }
    }

    /// The same step under another run's number.
    pub fn renumbered(mut self, run: RunId) -> SentStep {
        match &mut self {
            SentStep::Whole(step) | SentStep::Delta(StepDelta { rest: step, .. }) => step.run = run,
        }
        self
    }

    /// The whole step. `previous`: the whole step before it, of the same run.
    pub fn expand(self, previous: Option<&StepTrace>) -> Result<StepTrace, DeltaError> {
        match self {
            SentStep::Whole(whole) => Ok(whole),
            SentStep::Delta(delta) => delta.expand(previous.ok_or(DeltaError::NoPrevious { step: delta.rest.step })?),
        }
    }
}

impl StepDelta {
    fn expand(&self, previous: &StepTrace) -> Result<StepTrace, DeltaError> {
        let rest = &self.rest;
        let (run, step) = (rest.run, rest.step);
        if previous.run != run || previous.step.checked_add(1) != Some(step) {
            let (previous_run, previous_step) = (previous.run, previous.step);
            return Err(DeltaError::NotNext { run, step, previous_run, previous_step });
        }
        let (first_position, previous_first) = (rest.first_position(), previous.first_position());
        let kept = self.input_start_position.saturating_sub(first_position) as usize;
        let is_one = matches!(previous.sequences, Sequences::One(_));
        if !is_one || first_position != previous_first || kept > previous.tokens.len() {
            let previous_end = previous_first.saturating_add(previous.tokens.len() as u32);
            let input_start_position = self.input_start_position;
            return Err(DeltaError::Reach { step, input_start_position, first_position, previous_first, previous_end });
        }
        if rest.layers.len() != previous.layers.len() {
            return Err(DeltaError::Layers { step, found: rest.layers.len(), expected: previous.layers.len() });
        }
        let tokens = [&previous.tokens[..kept], rest.tokens.as_slice()].concat();
        let layers = rest.layers.iter().zip(&previous.layers);
        let layers = layers
            .map(|(rest, previous)| {
                join(previous, rest, kept).map_err(|column| DeltaError::Column { step, layer: rest.layer, column })
            })
            .collect::<Result<_, _>>()?;
        Ok(StepTrace { tokens, layers, ..rest.clone() }.checked()?)
    }
}

/// Rows of a layer that are of tokens before `token`.
fn rows_before(layer: &LayerTrace, token: usize) -> usize {
    match &layer.rows {
        Some(rows) => rows.partition_point(|&row| (row as usize) < token),
        None => token,
    }
}

/// Assignments of tokens before `token`.
fn assignments_before(routing: &Routing, token: usize) -> usize {
    routing.assignments.partition_point(|assignment| (assignment.token as usize) < token)
}

/// Entries of `output_norms.experts` that are of tokens before `token`.
fn norms_before(layer: &LayerTrace, token: usize) -> usize {
    match &layer.decision {
        Some(Decision::Routing(routing)) => assignments_before(routing, token),
        Some(Decision::Choices(choices)) => rows_before(layer, token) * choices.top_k(),
        Some(Decision::Load(_)) | None => 0,
    }
}

/// The layer with the rows of tokens from `kept` on.
fn rows_from(layer: &LayerTrace, kept: usize) -> LayerTrace {
    let (first_row, first_norm) = (rows_before(layer, kept), norms_before(layer, kept));
    LayerTrace {
        layer: layer.layer,
        rows: layer.rows.as_ref().map(|rows| rows.rows_from(first_row)),
        gate_logits: layer.gate_logits.as_ref().map(|logits| logits.rows_from(first_row)),
        gate_probs: layer.gate_probs.as_ref().map(|scores| scores.rows_from(first_row)),
        selection_scores: layer.selection_scores.as_ref().map(|scores| scores.rows_from(first_row)),
        selection_bias: layer.selection_bias.clone(),
        decision: layer.decision.as_ref().map(|decision| match decision {
            Decision::Routing(routing) => {
                let assignments = routing.assignments.rows_from(assignments_before(routing, kept));
                let Routing { num_tokens, num_experts, capacity, .. } = *routing;
                Decision::Routing(Routing { num_tokens, num_experts, capacity, assignments })
            }
            Decision::Choices(choices) => Decision::Choices(choices.rows_from(first_row)),
            Decision::Load(load) => Decision::Load(load.clone()),
        }),
        output_norms: layer.output_norms.as_ref().map(|norms| OutputNorms {
            experts: norms.experts.rows_from(first_norm),
            shared: norms.shared.as_ref().map(|shared| shared.rows_from(first_row)),
        }),
    }
}

/// The layer of the step before up to token `kept`, then the rows that were sent. The error names a column that does not
/// go on as it began.
fn join(before: &LayerTrace, sent: &LayerTrace, kept: usize) -> Result<LayerTrace, &'static str> {
    if before.layer != sent.layer {
        return Err("its number");
    }
    let (num_rows, num_norms) = (rows_before(before, kept), norms_before(before, kept));
    let decision = match (&before.decision, &sent.decision) {
        (Some(Decision::Routing(before)), Some(Decision::Routing(sent))) => {
            let starts_late = sent.assignments.first().is_none_or(|first| first.token as usize >= kept);
            if before.num_experts != sent.num_experts || !starts_late {
                return Err("routing");
            }
            let earlier = &before.assignments[..assignments_before(before, kept)];
            let assignments = [earlier, sent.assignments.as_slice()].concat();
            let Routing { num_tokens, num_experts, capacity, .. } = *sent;
            Some(Decision::Routing(Routing { num_tokens, num_experts, capacity, assignments }))
        }
        (Some(Decision::Choices(before)), Some(Decision::Choices(sent))) => {
            Some(Decision::Choices(before.first_rows(num_rows, sent).ok_or("choices")?))
        }
        (_, Some(Decision::Load(load))) => Some(Decision::Load(load.clone())),
        (None, None) => None,
        _ => return Err("the kind of decision"),
    };
    let output_norms = match (&before.output_norms, &sent.output_norms) {
        (Some(before), Some(sent)) => Some(OutputNorms {
            experts: before.experts.first_rows(num_norms, &sent.experts).ok_or("output_norms")?,
            shared: both(&before.shared, &sent.shared, num_rows).ok_or("output_norms")?,
        }),
        (None, None) => None,
        _ => return Err("output_norms"),
    };
    Ok(LayerTrace {
        layer: sent.layer,
        rows: both(&before.rows, &sent.rows, num_rows).ok_or("rows")?,
        gate_logits: both(&before.gate_logits, &sent.gate_logits, num_rows).ok_or("gate_logits")?,
        gate_probs: both(&before.gate_probs, &sent.gate_probs, num_rows).ok_or("gate_probs")?,
        selection_scores: both(&before.selection_scores, &sent.selection_scores, num_rows).ok_or("selection_scores")?,
        selection_bias: sent.selection_bias.clone(),
        decision,
        output_norms,
    })
}

/// A column of which both have rows, or neither.
fn both<C: Rows>(before: &Option<C>, sent: &Option<C>, num_rows: usize) -> Option<Option<C>> {
    match (before, sent) {
        (Some(before), Some(sent)) => before.first_rows(num_rows, sent).map(Some),
        (None, None) => Some(None),
        _ => None,
    }
}

/// How many tokens both steps begin with whose rows are the same, bit for bit, in all layers. 0 where the later step is
/// not the earlier one's next.
fn num_kept(previous: &StepTrace, whole: &StepTrace) -> usize {
    let is_one = |step: &StepTrace| matches!(step.sequences, Sequences::One(_));
    let is_next = previous.run == whole.run
        && previous.step.checked_add(1) == Some(whole.step)
        && is_one(previous)
        && is_one(whole)
        && previous.first_position() == whole.first_position()
        && previous.layers.len() == whole.layers.len();
    if !is_next {
        return 0;
    }
    let mut kept = previous.tokens.num_same(&whole.tokens);
    for (before, after) in previous.layers.iter().zip(&whole.layers) {
        kept = kept.min(num_kept_in(before, after));
    }
    kept
}

/// The same of one layer; no less than the tokens there are where all is the same.
fn num_kept_in(before: &LayerTrace, after: &LayerTrace) -> usize {
    // Of two columns, whose rows are of these tokens, that of the first row that differs or that only one of them has.
    fn limit<C: Rows>(before: &C, after: &C, token_of: impl Fn(&C, usize) -> Option<usize>) -> usize {
        let same = before.num_same(after);
        let token = |column: &C| if same < column.num_rows() { token_of(column, same) } else { None };
        token(before).unwrap_or(usize::MAX).min(token(after).unwrap_or(usize::MAX))
    }
    fn limit_of<C: Rows>(before: &Option<C>, after: &Option<C>, rows: &LayerTrace) -> usize {
        match (before, after) {
            (Some(before), Some(after)) if before.is_alike(after) => limit(before, after, |_, row| rows.token_of(row)),
            (None, None) => usize::MAX,
            _ => 0,
        }
    }
    if before.layer != after.layer {
        return 0;
    }
    let of_rows = match (&before.rows, &after.rows) {
        (Some(before), Some(after)) => limit(before, after, |rows, row| Some(rows[row] as usize)),
        (None, None) => usize::MAX,
        _ => 0,
    };
    let of_decision = match (&before.decision, &after.decision) {
        (Some(Decision::Routing(before)), Some(Decision::Routing(after)))
            if before.num_experts == after.num_experts =>
        {
            let token = |assignments: &Vec<Assignment>, at: usize| Some(assignments[at].token as usize);
            limit(&before.assignments, &after.assignments, token)
        }
        (Some(Decision::Choices(one)), Some(Decision::Choices(other))) if one.is_alike(other) => {
            limit(one, other, |_, row| before.token_of(row))
        }
        (Some(Decision::Load(_)), Some(Decision::Load(_))) | (None, None) => usize::MAX,
        _ => 0,
    };
    let of_norms = match (&before.output_norms, &after.output_norms) {
        (Some(one), Some(other)) => {
            let same = one.experts.num_same(&other.experts);
            let token = |layer: &LayerTrace| match &layer.decision {
                Some(Decision::Routing(routing)) => routing.assignments.get(same).map(|a| a.token as usize),
                Some(Decision::Choices(choices)) => layer.token_of(same / choices.top_k()),
                _ => None,
            };
            let of_experts = token(before).unwrap_or(usize::MAX).min(token(after).unwrap_or(usize::MAX));
            of_experts.min(limit_of(&one.shared, &other.shared, before))
        }
        (None, None) => usize::MAX,
        _ => 0,
    };
    [
        of_rows,
        of_decision,
        of_norms,
        limit_of(&before.gate_logits, &after.gate_logits, before),
        limit_of(&before.gate_probs, &after.gate_probs, before),
        limit_of(&before.selection_scores, &after.selection_scores, before),
    ]
    .into_iter()
    .min()
    .unwrap_or_default()
}
