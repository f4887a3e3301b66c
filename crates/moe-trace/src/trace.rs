//! The unit of the trace: one forward step, with everything the model decided in it. Facts only; loads, entropies and
//! losses are computed from it when shown.

use serde::{Deserialize, Serialize};

use crate::ids::{RunId, TokenId};
use crate::layer_trace::{LayerError, LayerTrace, RawLayerTrace};
use crate::token::TracedToken;

/// One forward pass: which tokens went in, how every layer routed them, and what came out. Its tokens are one routing
/// group where capacity is shared at all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "codegen", schemars(!try_from))]
#[serde(try_from = "RawStep")]
pub struct StepTrace {
    pub run: RunId,
    /// Steps of a run count from 0.
    pub step: u32,
    /// Which pass of the source this was, where it counts otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "codegen", ts(optional))]
    pub pass: Option<PassId>,
    /// Whose tokens these are.
    #[serde(flatten)]
    pub sequences: Sequences,
    /// The tokens of this pass: sequence after sequence, each in order of position. None where the source has loads only.
    pub tokens: Vec<TracedToken>,
    /// One entry per MoE layer, in order.
    pub layers: Vec<LayerTrace>,
}

/// Whose tokens a step has. In JSON the fields stand beside the step's others: those of a [`SequenceStep`], or the one
/// key `sequences`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(untagged)]
pub enum Sequences {
    /// One text, or what of it this step computed.
    One(SequenceStep),
    /// Several texts that share the step.
    Batch { sequences: Vec<BatchEntry> },
}

/// What a step computed of one sequence.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct SequenceStep {
    /// Position of its first token here: 0 where the whole text is one group, the number of cached tokens otherwise.
    pub first_position: u32,
    /// How many of the tokens here are the prompt's; absent where the request tells, or nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "codegen", ts(optional))]
    pub num_prompt_tokens: Option<u32>,
    /// What the model expects after its last token, and what was taken; absent where nobody recorded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "codegen", ts(optional))]
    pub next: Option<NextToken>,
    /// What was sampled last and never fed, so that no layer has rows of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "codegen", ts(optional))]
    pub unrouted_tail: Option<TracedToken>,
}

/// A sequence of a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "codegen", schemars(!from))]
#[serde(from = "RawBatchEntry")]
pub struct BatchEntry {
    /// Which of the batch's sequences, from 0; the request's prompt is 0, its companions follow.
    pub sequence: u32,
    /// How many of the step's tokens are its own. They follow those of the entry before.
    pub num_tokens: u32,
    #[serde(flatten)]
    pub step: SequenceStep,
}

/// As JSON has it.
#[derive(Deserialize)]
struct RawBatchEntry {
    sequence: u32,
    num_tokens: u32,
    first_position: u32,
    num_prompt_tokens: Option<u32>,
    next: Option<NextToken>,
    unrouted_tail: Option<TracedToken>,
}

impl From<RawBatchEntry> for BatchEntry {
    fn from(raw: RawBatchEntry) -> BatchEntry {
        let RawBatchEntry { sequence, num_tokens, first_position, num_prompt_tokens, next, unrouted_tail } = raw;
        let step = SequenceStep { first_position, num_prompt_tokens, next, unrouted_tail };
        BatchEntry { sequence, num_tokens, step }
    }
}

/// A pass as another program counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct PassId {
    /// Its own number of the pass or training step.
    pub number: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "codegen", ts(optional))]
    pub rank: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "codegen", ts(optional))]
    pub microbatch: Option<u32>,
}

/// The model's expectation after the last token of a sequence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct NextToken {
    /// The most probable tokens under the untempered softmax, most probable first.
    pub candidates: Vec<Candidate>,
    /// The next step's new token: what sampling took or, inside the prompt, what the prompt says. `None` where the run
    /// ends with this step.
    pub chosen: Option<Candidate>,
}

/// A possible next token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Candidate {
    pub id: TokenId,
    pub bytes: Vec<u8>,
    /// Softmax probability at temperature 1 over the whole vocabulary.
    pub probability: f32,
}

/// Why records are not a step.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StepError {
    #[error("step {step} says neither first_position nor sequences, so nobody knows whose its tokens are")]
    NoSequence { step: u32 },
    #[error("step {step} has {found} tokens; its sequences have {expected}")]
    Tokens { step: u32, found: u64, expected: u64 },
    #[error("step {step}, {reason}")]
    Layer { step: u32, reason: LayerError },
    #[error("step {step} begins at position {input_start_position}, but its text at {first_position}")]
    Start { step: u32, input_start_position: u32, first_position: u32 },
    #[error("step {step} has only the rows from position {input_start_position} on, and stands alone")]
    Partial { step: u32, input_start_position: u32 },
}

/// A step as JSON has it: whole, or with `input_start_position` only the rows from there on.
#[derive(Deserialize)]
pub(crate) struct RawStep {
    pub run: RunId,
    pub step: u32,
    pub pass: Option<PassId>,
    pub input_start_position: Option<u32>,
    first_position: Option<u32>,
    num_prompt_tokens: Option<u32>,
    next: Option<NextToken>,
    unrouted_tail: Option<TracedToken>,
    sequences: Option<Vec<BatchEntry>>,
    pub tokens: Vec<TracedToken>,
    layers: Vec<RawLayerTrace>,
}

impl RawStep {
    /// The step without a check of its layers.
    pub fn unchecked(self) -> Result<StepTrace, StepError> {
        let step = self.step;
        let sequences = match (self.sequences, self.first_position) {
            (Some(sequences), _) => Sequences::Batch { sequences },
            (None, Some(first_position)) => Sequences::One(SequenceStep {
                first_position,
                num_prompt_tokens: self.num_prompt_tokens,
                next: self.next,
                unrouted_tail: self.unrouted_tail,
            }),
            (None, None) => return Err(StepError::NoSequence { step }),
        };
        if let Sequences::Batch { sequences } = &sequences {
            let (found, expected) =
                (self.tokens.len() as u64, sequences.iter().map(|entry| u64::from(entry.num_tokens)).sum());
            if found != expected {
                return Err(StepError::Tokens { step, found, expected });
            }
        }
        let whole = |layer: RawLayerTrace| layer.try_into().map_err(|reason| StepError::Layer { step, reason });
        let layers = self.layers.into_iter().map(whole).collect::<Result<_, _>>()?;
        Ok(StepTrace { run: self.run, step, pass: self.pass, sequences, tokens: self.tokens, layers })
    }
}

impl TryFrom<RawStep> for StepTrace {
    type Error = StepError;

    fn try_from(raw: RawStep) -> Result<StepTrace, StepError> {
        let step = raw.step;
        if let Some(input_start_position) = raw.input_start_position.filter(|start| Some(*start) != raw.first_position)
        {
            return Err(StepError::Partial { step, input_start_position });
        }
        raw.unchecked()?.checked()
    }
}

impl StepTrace {
    /// A step of one text, as an engine of ours makes it.
    pub fn of_text(
        run: RunId,
        step: u32,
        first_position: u32,
        tokens: Vec<TracedToken>,
        layers: Vec<LayerTrace>,
        next: NextToken,
    ) -> StepTrace {
        let next = Some(next);
        let sequence = SequenceStep { first_position, num_prompt_tokens: None, next, unrouted_tail: None };
        StepTrace { run, step, pass: None, sequences: Sequences::One(sequence), tokens, layers }
    }

    /// Position in its text of the first token.
    pub fn first_position(&self) -> u32 {
        match &self.sequences {
            Sequences::One(sequence) => sequence.first_position,
            Sequences::Batch { sequences } => sequences.first().map_or(0, |entry| entry.step.first_position),
        }
    }

    /// What the model expects after the last token, where it was recorded.
    pub fn next(&self) -> Option<&NextToken> {
        match &self.sequences {
            Sequences::One(sequence) => sequence.next.as_ref(),
            Sequences::Batch { sequences } => sequences.last()?.step.next.as_ref(),
        }
    }

    /// Numbers of four bytes it takes, as good as.
    pub(crate) fn num_numbers(&self) -> u64 {
        let of_tokens: u64 = self.tokens.iter().map(|token| 8 + token.bytes().len() as u64 / 4).sum();
        of_tokens + self.layers.iter().map(LayerTrace::num_numbers).sum::<u64>()
    }

    /// Do all layers have rows for its tokens, and for no others?
    pub(crate) fn checked(self) -> Result<StepTrace, StepError> {
        let step = self.step;
        for layer in &self.layers {
            layer.check(0, self.tokens.len()).map_err(|reason| StepError::Layer { step, reason })?;
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<StepTrace, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_step_of_one_text_says_where_it_begins() {
        let json = r#"{"run":0,"step":2,"first_position":1,"tokens":[{"id":5,"loss":null}],"layers":[]}"#;
        let step = parse(json).expect("a step");
        assert_eq!((step.first_position(), step.next()), (1, None));
        assert_eq!(serde_json::to_string(&step).expect("serialises"), json);
    }

    #[test]
    fn a_step_of_a_batch_says_whose_its_tokens_are() {
        let json = concat!(
            r#"{"run":0,"step":2,"sequences":[{"sequence":0,"num_tokens":1,"first_position":4},"#,
            r#"{"sequence":2,"num_tokens":1,"first_position":9}],"tokens":[{"loss":null},{"loss":null}],"layers":[]}"#
        );
        let step = parse(json).expect("a step");
        assert_eq!(step.first_position(), 4);
        assert_eq!(serde_json::to_string(&step).expect("serialises"), json);
        let error = parse(&json.replacen(r#""num_tokens":1"#, r#""num_tokens":2"#, 1)).expect_err("one too many");
        assert!(error.starts_with("step 2 has 2 tokens; its sequences have 3"), "{error}");
    }

    #[test]
    fn nobodys_tokens_and_half_a_step_are_refused() {
        let error = parse(r#"{"run":0,"step":2,"tokens":[],"layers":[]}"#).expect_err("whose?");
        assert!(error.starts_with("step 2 says neither first_position nor sequences"), "{error}");
        let half = r#"{"run":0,"step":2,"first_position":0,"input_start_position":7,"tokens":[],"layers":[]}"#;
        let error = parse(half).expect_err("only a half");
        assert!(error.starts_with("step 2 has only the rows from position 7 on"), "{error}");
    }
}
