//! The unit of the trace: one forward step, with everything the model decided in it. Facts only; loads, entropies and
//! losses are computed from it when shown.

use serde::{Deserialize, Serialize};

use crate::gate_logits::GateLogits;
use crate::ids::{LayerIdx, RunId, TokenId};
use crate::routing::Routing;

/// One forward pass: which tokens went in, how every layer routed them, and what came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct StepTrace {
    pub run: RunId,
    /// Steps of a run count from 0.
    pub step: u32,
    /// Position in the text of `tokens[0]`: 0 where the whole text is run again, the number of cached tokens otherwise.
    pub first_position: u32,
    /// The tokens of this pass, in order of position.
    pub tokens: Vec<TracedToken>,
    /// One entry per MoE layer, in order.
    pub layers: Vec<LayerTrace>,
    /// What the model expects after the last token, and what was taken.
    pub next: NextToken,
}

/// A token as it went into a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct TracedToken {
    pub id: TokenId,
    /// The token's bytes. They may be a fragment of a character; views join fragments before they decode.
    pub bytes: Vec<u8>,
    /// `-ln p(token | tokens before it)` in nats, in this pass; `None` for the first token of the text, which nothing
    /// predicts, and for a token whose predecessor was not part of this or the previous step.
    pub loss: Option<f32>,
}

/// How one layer routed the tokens of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct LayerTrace {
    pub layer: LayerIdx,
    pub gate_logits: GateLogits,
    pub routing: Routing,
}

/// The model's expectation after the last token of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct NextToken {
    /// The most probable tokens under the untempered softmax, most probable first.
    pub candidates: Vec<Candidate>,
    /// The next step's new token: what sampling took or, inside the prompt, what the prompt says. `None` where the run
    /// ends with this step.
    pub chosen: Option<Candidate>,
}

/// A possible next token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Candidate {
    pub id: TokenId,
    pub bytes: Vec<u8>,
    /// Softmax probability at temperature 1 over the whole vocabulary.
    pub probability: f32,
}
